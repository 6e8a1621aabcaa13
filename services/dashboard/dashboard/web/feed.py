"""The latest events, with what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nicegui import ui

from dashboard.model.event import TrackedEvent
from dashboard.web.elements import heading
from dashboard.web.times import clock_time
from operations.redrive.failed_event import name_of
from operations.verify.explain import RecordStatus

SHOWN = 40
FATES = {
    RecordStatus.APPLIED: "✓ applied",
    RecordStatus.DUPLICATE: "= duplicate",
    RecordStatus.NOT_FOUND: "∅ not found",
    RecordStatus.REJECTED: "✕ rejected",
    RecordStatus.DEAD_LETTERED: "☠ dead-lettered",
    RecordStatus.WAITING: "… waiting",
    RecordStatus.UNKNOWN: "· before start",
}
# A dialog gives the focus back to the cell that opened it, which may be far down the list by then.
ON_CLICK = "(e) => { e.api.clearFocusedCell(); document.activeElement?.blur(); }"
WHERE_NARROW = "(e) => e.api.setColumnsVisible({wide}, e.clientWidth > 520)"

Line = dict[str, Any]


def line(tracked: TrackedEvent) -> Line:
    """A row of the list, of a product's history, and of what failed."""
    return {
        "key": name_of(*tracked.place),
        "time": clock_time(tracked.arrived_at),
        "product": tracked.product_id or "",
        "event": tracked.text,
        "fate": FATES[tracked.status],
        "effect": tracked.effect if tracked.status is not RecordStatus.WAITING else "",
    }


def lines(events: Iterable[TrackedEvent]) -> list[Line]:
    return [line(tracked) for tracked in events]


TIME: dict[str, Any] = {"headerName": "Time (UTC)", "field": "time", "width": 98}
PRODUCT: dict[str, Any] = {"headerName": "Product", "field": "product", "width": 84}
EVENT: dict[str, Any] = {
    "headerName": "Event",
    "field": "event",
    "flex": 3,
    "minWidth": 150,
    "tooltipField": "event",
}
COLUMNS: list[dict[str, Any]] = [
    TIME,
    PRODUCT,
    EVENT,
    {
        "headerName": "Outcome",
        "field": "fate",
        "width": 128,
        "cellClassRules": {
            "fate-good": "value[0] === '✓'",
            "fate-bad": "value[0] === '✕' || value[0] === '☠'",
            "fate-odd": "value[0] === '∅'",
        },
    },
    {
        "headerName": "Effect",
        "field": "effect",
        "flex": 3,
        "minWidth": 150,
        "tooltipField": "effect",
    },
]


def table(columns: list[dict[str, Any]], wide: Iterable[str], empty: str) -> ui.aggrid:
    """A list without anything that a user could sort. Columns of `wide` are hidden on a phone."""
    return ui.aggrid(
        {
            "defaultColDef": {"sortable": False, "resizable": True, "suppressMovable": True},
            "columnDefs": columns,
            ":getRowId": "(params) => params.data.key",
            ":onCellClicked": ON_CLICK,
            ":onGridSizeChanged": WHERE_NARROW.format(wide=list(wide)),
            "rowData": [],
            "rowHeight": 30,
            "headerHeight": 32,
            "animateRows": False,
            "ensureDomOrder": True,
            "overlayNoRowsTemplate": f"<span>{empty}</span>",
        },
        auto_size_columns=False,
    )


class Feed:
    """`on_open` gets the id of the product whose history is wanted."""

    def __init__(self, on_open: Callable[[str], object]) -> None:
        with ui.element("section").classes("card feed").props('aria-label="Latest events"'):
            with ui.element("div").classes("card-head"):
                heading("Latest events")
                self._waiting = ui.label().classes("card-count")
            self._table = table(COLUMNS, ["event", "effect"], "No events yet").classes(
                "grid feed-grid"
            )
            self._table.on("cellClicked", lambda e: _open(e.args["data"], on_open), ["data"])

    def show(self, rows: list[Line], waiting: int) -> None:
        self._table.run_grid_method("setGridOption", "rowData", rows)
        self._waiting.set_text(f"{waiting:,} waiting for an outcome" if waiting else "")


def _open(row: Line, on_open: Callable[[str], object]) -> None:
    if row["product"]:
        on_open(row["product"])
