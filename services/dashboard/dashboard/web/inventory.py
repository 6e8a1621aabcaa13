"""The inventory: rows that the browser sorts, filters and searches, sent as they change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
from nicegui import ui

from dashboard.model.products import Diff, ShownRow
from dashboard.web.elements import card, clock_time, column, grid
from inventory_aws.shown import shown as escaped

EXACT_IN_A_BROWSER = 2**53
ANSWER_SECONDS = 20.0
BY_ID = {":comparator": "new Intl.Collator(undefined, {numeric: true}).compare"}
BY_NUMBER = {":comparator": "(a, b) => Number(a) - Number(b)"}
BY_CHANGE = {":comparator": "(a, b, one, other) => one.data.changed_at - other.data.changed_at"}
TEXT, NUMBER = "agTextColumnFilter", "agNumberColumnFilter"
COLUMNS = [
    column("Product", "product", colId="product_id", flex=2, filter=TEXT) | BY_ID,
    column("Name", "product_name", flex=4, minWidth=100, filter=TEXT),
    column("Quantity", "quantity", flex=2, minWidth=112, type="rightAligned", filter=NUMBER)
    | BY_NUMBER,
    column("Timestamp", "timestamp", flex=4, minWidth=165, filter=TEXT),
    column("Changed (UTC)", "changed", flex=2, minWidth=140, sort="desc") | BY_CHANGE,
]
OPTIONS = {
    "defaultColDef": {"enableCellChangeFlash": True, "minWidth": 90},
    "loading": True,
    ":onModelUpdated": "(e) => window.countInventory(e.api)",
}
ON_SEARCH = "(text) => getElement({id}).api.setGridOption('quickFilterText', text ?? '')"


class Inventory:
    def __init__(self, on_click: Callable[[dict[str, Any]], object]) -> None:
        self.version = -1
        with card("Inventory", "inventory") as head:
            wide = ["timestamp", "changed"]
            self._grid = grid(COLUMNS, OPTIONS, row_id="product_id", wide=wide, on_click=on_click)
        with head:
            ui.element("span").classes("card-count").props('role="status"')
            search = ui.input(placeholder="Search").classes("search")
            search.props('dense outlined clearable debounce=250 aria-label="Search the inventory"')
            search.on("update:model-value", js_handler=ON_SEARCH.format(id=self._grid.id))

    async def show(self, diff: Diff) -> None:
        """Send the changes, and wait until the browser has them.

        If it does not answer in time, it gets them with a later diff. Before the table was read
        for the first time, the grid says that it loads.
        """
        if diff.version in (0, self.version):
            return
        rows = [cells(row) for row in diff.rows]
        changes = orjson.dumps({"whole": diff.whole, "rows": rows, "removed": list(diff.removed)})
        call = f"return window.updateInventory({self._grid.id}, {changes.decode()})"
        with suppress(TimeoutError):
            if await ui.run_javascript(call, timeout=ANSWER_SECONDS):
                self.version = diff.version


def cells(shown: ShownRow) -> dict[str, Any]:
    """Return what the grid shows of a row. Its texts are escaped: anybody may have written them."""
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
