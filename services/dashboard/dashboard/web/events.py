"""The latest events with their outcomes, and the history of a product."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nicegui import ui

from dashboard.model.event import TrackedEvent
from dashboard.model.pipeline import Pipeline
from dashboard.sources.hub import Hub
from dashboard.web.elements import card, clock_time, column, dialog, grid
from inventory_aws.shown import shown
from operations.redrive.failed_event import name_of
from operations.verify.explain import RecordStatus

LATEST = 40
REFRESH_SECONDS = 0.5
OUTCOMES = {
    RecordStatus.APPLIED: "✓ applied",
    RecordStatus.DUPLICATE: "= duplicate",
    RecordStatus.NOT_FOUND: "∅ not found",
    RecordStatus.REJECTED: "✕ rejected",
    RecordStatus.DEAD_LETTERED: "☠ dead-lettered",
    RecordStatus.WAITING: "… waiting",
    RecordStatus.UNKNOWN: "· before start",
}
TIME = column("Time (UTC)", "time", width=98)
PRODUCT = column("Product", "product", width=84)
EVENT = column("Event", "event", flex=3, minWidth=150)
OUTCOME_CLASSES = {
    "is-good": "value[0] === '✓'",
    "is-bad": "value[0] === '✕' || value[0] === '☠'",
    "is-odd": "value[0] === '∅'",
}
OUTCOME = column("Outcome", "outcome", width=128, cellClassRules=OUTCOME_CLASSES)
EFFECT = column("Effect", "effect", flex=3, minWidth=150)
REASON = column("Reason", "effect", flex=4, minWidth=130)
LATEST_COLUMNS = [TIME, PRODUCT, EVENT, OUTCOME, EFFECT]
HISTORY_COLUMNS = [TIME, EVENT, OUTCOME, EFFECT]
FAILURE_COLUMNS = [TIME, PRODUCT, OUTCOME, REASON, EVENT]

Line = dict[str, Any]


class EventList:
    """A grid of events, which goes to the browser when it has changed."""

    def __init__(
        self,
        columns: list[dict[str, Any]],
        wide: list[str],
        on_click: Callable[[Line], object] | None = None,
    ) -> None:
        self._lines: list[Line] | None = None
        options = {"defaultColDef": {"sortable": False}, "overlayNoRowsTemplate": "No events yet"}
        self.grid = grid(columns, options, row_id="key", wide=wide, on_click=on_click)

    def show(self, lines: list[Line]) -> None:
        if lines != self._lines:
            self._lines = lines
            self.grid.run_grid_method("setGridOption", "rowData", lines)


class LatestEvents:
    def __init__(self, on_click: Callable[[Line], object]) -> None:
        with card("Latest events", "events") as head:
            self._list = EventList(LATEST_COLUMNS, ["event", "effect"], on_click)
        with head:
            self._waiting = ui.label().classes("card-count")

    def show(self, pipeline: Pipeline) -> None:
        self._list.show(lines_of(pipeline.newest(LATEST)))
        waiting = pipeline.waiting
        self._waiting.set_text(f"{waiting:,} waiting for an outcome" if waiting else "")


def open_history(hub: Hub, product_id: str | None) -> None:
    """Show the latest events of a product in a dialog that follows them."""
    if not product_id:
        return
    with dialog("Product history", f"Product {shown(product_id)}") as opened:
        text = ui.label().classes("hint")
        events = EventList(HISTORY_COLUMNS, ["effect"])
        ui.label("The latest events since the page's server started.").classes("hint")

        def show() -> None:
            with hub.pipeline() as pipeline:
                row = pipeline.products.row(product_id)
                lines = lines_of(pipeline.products.history(product_id))
            said = "Not in the table."
            if row:
                said = f"{row.product_name}, quantity {row.quantity}, timestamp {row.timestamp}"
            text.set_text(shown(said))
            events.show(lines)

        ui.timer(REFRESH_SECONDS, show)
    opened.open()


def lines_of(events: Iterable[TrackedEvent]) -> list[Line]:
    return [
        {
            "key": name_of(*event.place),
            "time": clock_time(event.arrived_at),
            "product": shown(event.product_id or ""),
            "product_id": event.product_id,
            "event": event.text,
            "outcome": OUTCOMES[event.status],
            "effect": event.effect if event.status is not RecordStatus.WAITING else "",
        }
        for event in events
    ]
