"""What a product has been through: each of its latest events, what it did, when."""

from __future__ import annotations

from nicegui import ui

from dashboard.sources.hub import Hub
from dashboard.web.elements import dialog
from dashboard.web.feed import COLUMNS, lines, table
from inventory_aws.shown import shown


class History:
    """A dialog; while it is open it is kept up to date by `show`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._product: str | None = None
        self._shown: tuple[str, list[object]] | None = None
        with dialog("Product history") as (self._dialog, self._title):
            self._row = ui.label().classes("history-row")
            columns = [column for column in COLUMNS if column["field"] != "product"]
            self._table = table(columns, ["effect"], "No events").classes("grid history-grid")
            ui.label("The latest events since the page's server started.").classes("hint")
        self._dialog.on("hide", self._closed)

    def open(self, product_id: str) -> None:
        self._product, self._shown = product_id, None
        self._dialog.open()
        self.show()

    def show(self) -> None:
        if self._product is None:
            return
        with self._hub.pipeline() as pipeline:
            row = pipeline.products.row(self._product)
            rows = lines(pipeline.products.history(self._product))
        if row is None:
            said = "Not in the table."
        else:
            said = shown(f"{row.product_name}, quantity {row.quantity}, timestamp {row.timestamp}")
        if (said, rows) != self._shown:
            self._shown = (said, rows)  # type: ignore[assignment]
            self._title.set_text(f"Product {shown(self._product)}")
            self._row.set_text(said)
            self._table.run_grid_method("setGridOption", "rowData", rows)

    def _closed(self) -> None:
        self._product = None
