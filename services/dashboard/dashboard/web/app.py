"""The web application: its one page, and how it is served."""

from __future__ import annotations

import secrets

from nicegui import Client, app, ui
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request

from dashboard.controls.actions import Actions
from dashboard.settings import Settings
from dashboard.sources.hub import Hub
from dashboard.web.guard import Guard
from dashboard.web.page import build_page
from dashboard.web.session import PageSession

RECONNECT_SECONDS = 30.0
"""How long the server keeps the page of a browser that does not answer. After that the browser
loads it again, and what its user was typing is lost."""


def serve(hub: Hub, actions: Actions, settings: Settings) -> None:
    """Serve the page until a signal ends the program."""

    @ui.page("/", title="Inventory, live", dark=None)
    def page(request: Request, client: Client) -> None:
        build_page(hub, actions, PageSession(request, client, hub))

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    # A loading bar at each request says nothing on a page that asks all the time.
    app.config.quasar_config["loadingBar"]["skipHijack"] = True
    secret = secrets.token_urlsafe(32)
    # The last one added runs first: a request that the guard refuses gets no cookie.
    app.add_middleware(
        SessionMiddleware,
        secret_key=secret,
        same_site="strict",
        session_cookie=settings.session_cookie,
    )
    app.add_middleware(Guard, hosts=settings.allowed_hosts)
    ui.run(
        host=settings.host,
        port=settings.port,
        reload=False,
        show=False,
        language="en-US",
        show_welcome_message=False,
        tailwind=False,
        storage_secret=secret,
        reconnect_timeout=RECONNECT_SECONDS,
        message_history_length=200,
    )
