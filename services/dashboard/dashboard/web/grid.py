"""The inventory: rows that are sorted, filtered and searched in the browser, and sent as they
change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from nicegui import ui

from dashboard.model.products import Diff, ShownRow
from dashboard.web.elements import heading
from dashboard.web.feed import ON_CLICK, WHERE_NARROW
from dashboard.web.times import clock_time
from inventory_aws.shown import shown as escaped

EXACT_IN_A_BROWSER = 2**53
NATURAL = "new Intl.Collator(undefined, {numeric: true}).compare"
NUMERIC = "(a, b) => Number(a) - Number(b)"
LAST_CHANGE = "(a, b, {data: one}, {data: other}) => one.changed_at - other.changed_at"
ANSWER_SECONDS = 20.0

OPENED = "product_opened"
"""What the page emits with a product's id, when Enter is pressed on its row."""
ON_KEY = f"(e) => {{ if (e.event?.key === 'Enter') emitEvent('{OPENED}', e.data.product_id); }}"


class Grid:
    """`on_open` gets the id of the product whose history is wanted."""

    def __init__(self, on_open: Callable[[str], object]) -> None:
        self._version = -1
        with ui.element("section").classes("card inventory").props('aria-label="Inventory"'):
            with ui.element("div").classes("card-head"):
                heading("Inventory")
                ui.element("span").classes("card-count").props('role="status"')
                search = (
                    ui.input(placeholder="Search", on_change=lambda e: self._search(e.value))
                    .props(
                        'dense outlined clearable debounce=250 aria-label="Search the inventory"'
                    )
                    .classes("search")
                )
                search.add_slot("prepend")
            self._grid = ui.aggrid(_options()).classes("grid inventory-grid")
            self._grid.on("cellClicked", lambda e: on_open(e.args["data"]["product_id"]), ["data"])
            # The grid's own event does not say which key: its option does.
            ui.on(OPENED, lambda e: on_open(str(e.args)))

    @property
    def version(self) -> int:
        """How far the browser has it."""
        return self._version

    async def show(self, diff: Diff) -> None:
        """Send what has changed, and wait until the browser has it. Raises TimeoutError.

        Before the table was read for the first time, the grid says that it loads.
        """
        if diff.version in (0, self._version):
            return
        rows = [cells(shown) for shown in diff.rows]
        told = {"whole": diff.whole, "rows": rows, "removed": list(diff.removed)}
        call = f"return window.inventoryRows({self._grid.id}, {orjson.dumps(told).decode()})"
        if await ui.run_javascript(call, timeout=ANSWER_SECONDS):
            self._version = diff.version

    def _search(self, text: str | None) -> None:
        self._grid.run_grid_method("setGridOption", "quickFilterText", text or "")


def cells(shown: ShownRow) -> dict[str, Any]:
    """What the page gets of a row. Its texts may hold anything: they are shown escaped."""
    row = shown.row
    exact = isinstance(row.quantity, int) and row.quantity <= EXACT_IN_A_BROWSER
    return {
        "product_id": row.product_id,
        "product": escaped(row.product_id),
        "product_name": escaped(row.product_name),
        "quantity": row.quantity if exact else escaped(str(row.quantity)),
        "timestamp": escaped(row.timestamp),
        "changed": clock_time(shown.changed_at) if shown.changed_at else "",
        "changed_at": shown.changed_at,
    }


def _options() -> dict[str, Any]:
    text = {"filter": "agTextColumnFilter"}
    return {
        ":onCellKeyDown": ON_KEY,
        "defaultColDef": {
            "sortable": True,
            "resizable": True,
            "enableCellChangeFlash": True,
            "minWidth": 90,
        },
        "columnDefs": [
            {
                "headerName": "Product",
                "colId": "product_id",
                "field": "product",
                ":comparator": NATURAL,
                "flex": 2,
                **text,
            },
            {"headerName": "Name", "field": "product_name", "flex": 4, "minWidth": 100, **text},
            {
                "headerName": "Quantity",
                "minWidth": 112,
                "field": "quantity",
                "type": "rightAligned",
                "filter": "agNumberColumnFilter",
                ":comparator": NUMERIC,
                "flex": 2,
            },
            {"headerName": "Timestamp", "field": "timestamp", "flex": 4, "minWidth": 165, **text},
            {
                "headerName": "Changed (UTC)",
                "field": "changed",
                ":comparator": LAST_CHANGE,
                "sortingOrder": ["desc", "asc"],
                "sort": "desc",
                "flex": 2,
                "minWidth": 140,
            },
        ],
        ":getRowId": "(params) => params.data.product_id",
        ":onCellClicked": ON_CLICK,
        ":onGridSizeChanged": WHERE_NARROW.format(wide=["timestamp", "changed"]),
        ":onModelUpdated": "(e) => window.inventoryCount(e.api)",
        "loading": True,
        "rowData": [],
        "rowHeight": 30,
        "headerHeight": 32,
        "cellFlashDuration": 700,
        "cellFadeDuration": 900,
        "animateRows": False,
        "ensureDomOrder": True,
        "overlayLoadingTemplate": "<span>Loading…</span>",
        "overlayNoRowsTemplate": (
            '<span><span class="when-empty">No products yet</span>'
            '<span class="when-filtered">No product matches the search</span></span>'
        ),
    }
