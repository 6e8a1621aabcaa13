"""The page of one browser: what is on it, and how it is kept up to date."""

from __future__ import annotations

import time
from operator import attrgetter
from pathlib import Path

from nicegui import Client, ui
from starlette.requests import Request

from dashboard.controls.actions import Actions
from dashboard.model.flow import nodes
from dashboard.sources.hub import Hub
from dashboard.web.bar import Bar
from dashboard.web.charts import ChartData, Charts
from dashboard.web.controls import Controls
from dashboard.web.failures import Failures
from dashboard.web.feed import SHOWN, Feed, lines
from dashboard.web.grid import SCRIPT, Grid
from dashboard.web.history import History
from dashboard.web.picture import Picture
from dashboard.web.session import PageSession

REFRESH_SECONDS = 0.5
STYLE = Path(__file__).with_name("style.css")


class Page:
    def __init__(self, hub: Hub, actions: Actions, request: Request, client: Client) -> None:
        self._hub = hub
        session = PageSession(request, client)
        ui.add_css(STYLE)
        ui.add_head_html(f"<script>{SCRIPT}</script>")
        with hub.pipeline() as pipeline:
            boxes = nodes(pipeline, time.time())
        self._bar = Bar()
        with ui.element("div").classes("page"):
            self._picture = Picture(boxes)
            self._controls = Controls(actions, session) if actions.any else None
            self._charts = Charts()
            self._history = History(hub)
            self._grid = Grid(self._history.open)
            self._feed = Feed(self._history.open)
            self._failures = Failures(actions, session)
        ui.timer(REFRESH_SECONDS, self._refresh)

    async def _refresh(self) -> None:
        """A round. The next one begins when the browser has answered: what happens meanwhile is
        sent together, so a slow browser gets less, and nobody waits for it."""
        now = time.time()
        with self._hub.pipeline() as pipeline:
            boxes = nodes(pipeline, now)
            charts = ChartData.of(pipeline, now)
            diff = pipeline.products.since(self._grid.version)
            count = len(pipeline.products)
            version = pipeline.version
            latest = sorted(pipeline.latest, key=attrgetter("arrived_at"), reverse=True)[:SHOWN]
            rows = lines(latest) if version != self._feed.version else []
            figures = pipeline.figures
            failed = (figures.rejected, figures.dead_letters)
            pipe_state, rate, paused = (
                figures.pipe_state,
                figures.producer_rate,
                figures.producer_paused,
            )
        self._picture.show(boxes)
        self._charts.show(charts)
        self._feed.show(version, rows)
        self._history.show()
        self._failures.show(*failed)
        self._bar.show(now)
        if self._controls is not None:
            self._controls.show(pipe_state, rate, paused)
        try:
            await self._grid.show(diff, count)
        except TimeoutError:
            return  # it gets all of it with a later round
