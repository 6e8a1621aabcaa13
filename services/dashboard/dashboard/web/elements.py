"""Parts that the page's cards, grids and dialogs have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from nicegui import ui

# A dialog returns the focus to the cell that was clicked, which may be far down the grid by then.
ON_CLICK = """(e) => {
  if (e.event.detail === 0) return; // the Enter key
  e.api.clearFocusedCell();
  document.activeElement?.blur();
}"""
ON_KEY = "(e) => { if (e.event.key === 'Enter') e.event.target.click(); }"
ON_RESIZE = "(e) => e.api.setColumnsVisible({wide}, e.clientWidth > 520)"


def heading(text: str) -> ui.label:
    return ui.label(text).classes("card-title").props('role="heading" aria-level="2"')


def button(
    text: str, icon: str, on_click: Callable[[], object], props: str = "outline"
) -> ui.button:
    return ui.button(text, icon=icon, on_click=on_click).props(f"no-caps {props}")


@contextmanager
def card(name: str, classes: str) -> Iterator[ui.element]:
    """A card of the page; yields the head, for what stands beside the heading."""
    with ui.element("section").classes(f"card {classes}").props(f'aria-label="{name}"'):
        with ui.element("div").classes("card-head row items-center") as head:
            heading(name)
        yield head


@contextmanager
def dialog(name: str, title: str, classes: str = "") -> Iterator[ui.dialog]:
    """A dialog with a button that closes it. Closing deletes it."""
    made = ui.dialog().props(f'aria-label="{name}"')
    with made, ui.card().classes(f"dialog {classes}"):
        with ui.element("div").classes("card-head row items-center"):
            heading(title)
            ui.button(icon="close", on_click=made.close).props('flat round aria-label="Close"')
        yield made
    made.on("hide", made.delete)


def column(header: str, field: str, **options: object) -> dict[str, Any]:
    return {"headerName": header, "field": field, "tooltipField": field, **options}


def grid(
    columns: Sequence[dict[str, Any]],
    options: dict[str, Any],
    *,
    row_id: str,
    wide: Sequence[str],
    on_click: Callable[[dict[str, Any]], object] | None = None,
) -> ui.aggrid:
    """A grid whose columns `wide` are hidden on a phone. `on_click` gets the data of a row."""
    made = ui.aggrid(
        {
            "columnDefs": columns,
            ":getRowId": f"(params) => params.data.{row_id}",
            ":onCellClicked": ON_CLICK,
            ":onCellKeyDown": ON_KEY,
            ":onGridSizeChanged": ON_RESIZE.format(wide=wide),
            "rowData": [],
            "rowHeight": 30,
            "headerHeight": 32,
            "animateRows": False,
            "suppressColumnMoveAnimation": True,
            "ensureDomOrder": True,
            "tooltipShowMode": "whenTruncated",
            **options,
        }
    )
    if on_click:
        made.on("cellClicked", lambda event: on_click(event.args["data"]), ["data"])
    return made.classes("grid")


def clock_time(seconds: float, now: float | None = None) -> str:
    """Return the UTC time of day, after the date if that is not today's."""
    at = datetime.fromtimestamp(seconds, UTC)
    today = datetime.fromtimestamp(time.time() if now is None else now, UTC).date()
    return at.strftime("%H:%M:%S" if at.date() == today else "%Y-%m-%d %H:%M:%S")
