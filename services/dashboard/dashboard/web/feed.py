"""The latest events, with what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nicegui import ui

from dashboard.model.entry import Entry
from dashboard.web.moments import clock_time
from inventory_cli.history import Fate

SHOWN = 40
FATES = {
    Fate.APPLIED: "✓ applied",
    Fate.DUPLICATE: "= duplicate",
    Fate.NOT_FOUND: "∅ not found",
    Fate.REJECTED: "✕ rejected",
    Fate.DEAD_LETTERED: "☠ dead-lettered",
    Fate.UNHANDLED: "… under way",
    Fate.UNKNOWN: "· handled before",
}

Line = dict[str, Any]


def line(entry: Entry) -> Line:
    """A row of the list, and of a product's history."""
    return {
        "key": f"{entry.place[0]}:{entry.place[1]}",
        "time": clock_time(entry.arrived_at),
        "product": entry.product_id or "",
        "event": f"{entry.kind} {entry.what}".strip(),
        "fate": FATES[entry.fate],
        "effect": entry.effect if entry.fate is not Fate.UNHANDLED else "",
    }


def lines(entries: Iterable[Entry]) -> list[Line]:
    return [line(entry) for entry in entries]


COLUMNS: list[dict[str, Any]] = [
    {"headerName": "Time", "field": "time", "width": 82},
    {"headerName": "Product", "field": "product", "width": 76},
    {"headerName": "Event", "field": "event", "flex": 3, "minWidth": 150, "tooltipField": "event"},
    {
        "headerName": "Outcome",
        "field": "fate",
        "width": 108,
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


def table(columns: list[dict[str, Any]]) -> ui.aggrid:
    """A list without anything that a user could sort."""
    return ui.aggrid(
        {
            "defaultColDef": {"sortable": False, "resizable": True, "suppressMovable": True},
            "columnDefs": columns,
            ":getRowId": "(params) => params.data.key",
            "rowData": [],
            "rowHeight": 36,
            "animateRows": False,
            "ensureDomOrder": True,
            "overlayNoRowsTemplate": "<span>Nothing yet</span>",
        },
        auto_size_columns=False,
    )


class Feed:
    """`on_open` gets the id of the product whose history is wanted."""

    def __init__(self, on_open: Callable[[str], object]) -> None:
        self._version = -1
        with ui.element("section").classes("card feed").props('aria-label="Latest events"'):
            with ui.element("div").classes("card-head"):
                ui.label("Latest events").classes("card-title").props(
                    'role="heading" aria-level="2"'
                )
            self._table = table(COLUMNS).classes("grid feed-grid")
            self._table.on("cellClicked", lambda e: _open(e.args["data"], on_open), ["data"])

    @property
    def version(self) -> int:
        return self._version

    def show(self, version: int, rows: list[Line]) -> None:
        if version != self._version:
            self._version = version
            self._table.run_grid_method("setGridOption", "rowData", rows)


def _open(row: Line, on_open: Callable[[str], object]) -> None:
    if row["product"]:
        on_open(row["product"])
