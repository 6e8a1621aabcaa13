"""The page of one browser: what is on it, and how it is kept up to date."""

from __future__ import annotations

import time
from pathlib import Path

from nicegui import ui

from dashboard.controls.actions import Actions
from dashboard.model.flow import silent_since
from dashboard.model.pipeline import Pipeline
from dashboard.sources.hub import Hub
from dashboard.web.charts import Charts
from dashboard.web.controls import controls
from dashboard.web.elements import clock_time
from dashboard.web.events import REFRESH_SECONDS, LatestEvents, open_history
from dashboard.web.failures import Failures
from dashboard.web.flow import Flow
from dashboard.web.inventory import Inventory
from dashboard.web.session import PageSession

STYLE, SCRIPT = (Path(__file__).with_name(name) for name in ("style.css", "page.js"))


def build_page(hub: Hub, actions: Actions, session: PageSession) -> None:
    ui.add_css(STYLE)
    ui.add_head_html(f"<script>{SCRIPT.read_text()}</script>")
    bar = Bar()
    with hub.pipeline() as pipeline, ui.element("div").classes("page"):
        flow = Flow(pipeline)
        own = controls(hub, pipeline.figures, actions, session)
        charts = Charts()
        inventory = Inventory(lambda row: open_history(hub, row["product_id"]))
        events = LatestEvents(lambda line: open_history(hub, line["product_id"]))
        failures = Failures(hub, actions, session)

    async def refresh() -> None:
        # The next round begins when the browser has answered: what happens meanwhile is sent
        # together, so a slow browser gets less.
        with hub.pipeline() as pipeline:
            for part in (bar, flow, *own, charts, events, failures):
                part.show(pipeline)
            diff = pipeline.products.since(inventory.version)
        await inventory.show(diff)

    ui.timer(REFRESH_SECONDS, refresh)


class Bar:
    """The bar at the top. page.js takes the silence of its clock for a lost server, so the clock
    does not wait for what else is sent."""

    def __init__(self) -> None:
        with ui.element("header").classes("bar row items-center"):
            ui.label("Inventory, live").classes("bar-title").props('role="heading" aria-level="1"')
            with ui.element("div").classes("bar-alert").props('role="alert"'):
                ui.element("span").classes("server-lost")
                self._stack_lost = ui.label().classes("stack-lost")
            clock = ui.label(_utc(time.time())).classes("bar-time")
        ui.timer(REFRESH_SECONDS, lambda: clock.set_text(_utc(time.time())))

    def show(self, pipeline: Pipeline) -> None:
        """Say since when the AWS APIs have not answered, if they have not, and why."""
        text, since = "", silent_since(pipeline.figures, time.time())
        if since is not None:
            why = pipeline.figures.trouble.get("table", "no answer")
            text = f"Disconnected since {_utc(since)}: {why}"
        self._stack_lost.set_text(text)


def _utc(seconds: float) -> str:
    return f"{clock_time(seconds)} UTC"
