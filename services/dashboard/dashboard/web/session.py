"""The page's own session, which a control has to come from, and what its user does."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from nicegui import Client, run, ui
from starlette.requests import Request

from dashboard.controls.actions import ControlError
from dashboard.model.pipeline import Mark
from dashboard.sources.hub import EXPECTED, Hub, in_words
from inventory_aws.shown import shown

R = TypeVar("R")


class ForeignSessionError(ControlError):
    """A control was asked for over a connection that is not the one of the page's session."""


class PageSession:
    """A page was delivered with a signed cookie that no script can read; the connection over which
    its controls come has to bring the same one. To know the address of a page is not enough."""

    def __init__(self, request: Request, client: Client, hub: Hub) -> None:
        self._token = _token(request.session)
        self._client = client
        self._hub = hub

    async def do(self, action: Callable[[], R], *, done: str = "", mark: str = "") -> R | None:
        """Return what `action` returns. When it is done, say `done` and put `mark` on the charts.

        When it fails, say why and return None.
        """
        try:
            self._check()
            result = await run.io_bound(action)
        except EXPECTED as error:
            say(f"Not done: {in_words(error)}", bad=True)
            return None
        if mark:
            with self._hub.pipeline() as pipeline:
                pipeline.marks.append(Mark(time.time(), shown(mark)))
        if done:
            say(done)
        return result

    def _check(self) -> None:
        environ: Mapping[str, Any] = self._client.environ or {}
        theirs = _token(environ.get("asgi.scope", {}).get("session", {}))
        if not self._token or not hmac.compare_digest(self._token, theirs):
            raise ForeignSessionError("this session has ended: reload the page")


def say(text: str, *, bad: bool = False) -> None:
    """Show a notification. The text may hold anything: it is shown as text."""
    ui.notify(
        shown(text)[:400],
        type="negative" if bad else "positive",
        position="bottom",
        timeout=8000 if bad else 4000,
    )


def _token(session: Mapping[str, Any]) -> str:
    return str(session.get("id", ""))
