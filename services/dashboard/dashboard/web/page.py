"""The page of one browser: what is on it, and how it is kept up to date."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from nicegui import Client, ui
from starlette.requests import Request

from dashboard.controls.actions import Actions
from dashboard.model.flow import nodes, silent_since
from dashboard.sources.hub import Hub
from dashboard.web.bar import Bar
from dashboard.web.charts import ChartData, Charts
from dashboard.web.controls import Controls
from dashboard.web.failures import Failures
from dashboard.web.feed import SHOWN, Feed, lines
from dashboard.web.grid import Grid
from dashboard.web.history import History
from dashboard.web.picture import Picture
from dashboard.web.session import PageSession

REFRESH_SECONDS = 0.5
STYLE, SCRIPT = (Path(__file__).with_name(name) for name in ("style.css", "page.js"))


class Page:
    def __init__(self, hub: Hub, actions: Actions, request: Request, client: Client) -> None:
        self._hub = hub
        self._version = -1
        session = PageSession(request, client, hub)
        ui.add_css(STYLE)
        ui.add_head_html(f"<script>{SCRIPT.read_text()}</script>")
        with hub.pipeline() as pipeline:
            boxes = nodes(pipeline, time.time())
        self._bar = Bar()
        with ui.element("div").classes("page"):
            self._picture = Picture(boxes)
            self._controls = Controls(hub, actions, session) if actions.any else None
            self._charts = Charts()
            self._history = History(hub)
            self._grid = Grid(self._history.open)
            self._feed = Feed(self._history.open)
            self._failures = Failures(hub, actions, session)
        ui.timer(REFRESH_SECONDS, self._refresh)

    async def _refresh(self) -> None:
        """A round. The next one begins when the browser has answered: what happens meanwhile is
        sent together, so a slow browser gets less, and nobody waits for it."""
        now = time.time()
        with self._hub.pipeline() as pipeline:
            boxes = nodes(pipeline, now)
            charts = ChartData.of(pipeline, now)
            diff = pipeline.products.since(self._grid.version)
            is_new = pipeline.version != self._version
            self._version = pipeline.version
            latest = lines(pipeline.newest(SHOWN)) if is_new else []
            failed = lines(pipeline.newest_failures()) if is_new else []
            waiting = pipeline.waiting
            figures = replace(pipeline.figures, trouble=dict(pipeline.figures.trouble))
            silent = silent_since(figures, now)
        self._bar.show(silent, figures.trouble.get("table", ""))
        self._picture.show(boxes)
        self._charts.show(charts)
        if is_new:
            self._feed.show(latest, waiting)
            self._failures.observed(failed)
        self._failures.show(figures.rejected, figures.dead_letters)
        self._history.show()
        if self._controls is not None:
            self._controls.show(figures)
        try:
            await self._grid.show(diff)
        except TimeoutError:
            return  # it gets all of it with a later round
