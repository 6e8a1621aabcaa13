"""What a product has been through: each of its latest events, what it did, when."""

from __future__ import annotations

from nicegui import ui

from dashboard.sources.hub import Hub
from dashboard.web.feed import COLUMNS, lines, table


class History:
    """A dialog; while it is open it is kept up to date by `show`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._product: str | None = None
        self._shown: tuple[str, list[object]] | None = None
        with (
            ui.dialog().props('aria-label="The history of a product"') as self._dialog,
            ui.card().classes("dialog"),
        ):
            with ui.element("div").classes("card-head"):
                self._title = (
                    ui.label().classes("card-title").props('role="heading" aria-level="2"')
                )
                ui.button(icon="close", on_click=self._dialog.close).props(
                    'flat round dense aria-label="Close"'
                )
            self._row = ui.label().classes("history-row")
            columns = [column for column in COLUMNS if column["field"] != "product"]
            self._table = table(columns).classes("grid history-grid")
            ui.label("Its latest events since the page's server began to look.").classes("hint")
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
            said = "No row now."
        else:
            said = f"{row.product_name}, quantity {row.quantity}, timestamp {row.timestamp}"
        if (said, rows) != self._shown:
            self._shown = (said, rows)  # type: ignore[assignment]
            self._title.set_text(f"Product {self._product}")
            self._row.set_text(said)
            self._table.run_grid_method("setGridOption", "rowData", rows)

    def _closed(self) -> None:
        self._product = None
