"""What failed: how much of it, each event with its reason and payload, and putting it back."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from dashboard.controls.actions import Actions
from dashboard.web.doing import do
from dashboard.web.feed import table
from dashboard.web.mending import Mending
from dashboard.web.moments import clock_time
from dashboard.web.session import PageSession
from inventory_cli.redrive.inbox import Contents
from inventory_cli.redrive.item import Item
from producer.shown import shown, shown_bytes

MOST_SHOWN = 500
PAYLOAD_SHOWN = 300

COLUMNS: list[dict[str, Any]] = [
    {"headerName": "Time", "field": "time", "width": 92},
    {"headerName": "Queue", "field": "queue", "width": 118},
    {"headerName": "Product", "field": "product", "width": 110},
    {"headerName": "Reason", "field": "reason", "flex": 3, "minWidth": 200},
    {"headerName": "Payload", "field": "payload", "flex": 4, "minWidth": 200},
]


class Failures:
    """A card with the depths, and the list: the queues are looked into when it is asked for."""

    def __init__(self, actions: Actions, session: PageSession) -> None:
        self._actions = actions
        self._session = session
        self._contents: Contents | None = None
        self._depths: tuple[int | None, int | None] | None = None
        with ui.element("section").classes("card failures").props('aria-label="What failed"'):
            with ui.element("div").classes("card-head"):
                ui.label("What failed").classes("card-title").props('role="heading" aria-level="2"')
                self._said = ui.label().classes("card-count")
                ui.button("Look into the queues", icon="search", on_click=self.look).props(
                    "outline no-caps dense"
                )
            self._table = table(COLUMNS).classes("grid failures-grid")
            self._table.on("cellClicked", lambda e: self._open(e.args["data"]["key"]), ["data"])
            self._hint = ui.label(
                "Looking shows each event's reason and payload, and leaves it where it is."
            ).classes("hint")
        self._mending = Mending(actions, session, self.look)

    def show(self, rejected: int | None, dead_letters: int | None) -> None:
        if (rejected, dead_letters) == self._depths:
            return
        self._depths = (rejected, dead_letters)
        counts = ["?" if count is None else f"{count:,}" for count in self._depths]
        self._said.set_text(f"{counts[0]} rejected, {counts[1]} dead letters")

    async def look(self) -> None:
        contents = await do(self._session, self._actions.redrive.look)
        if contents is None:
            return
        self._contents = contents
        newest = list(contents.items)[: -MOST_SHOWN - 1 : -1]
        self._table.run_grid_method("setGridOption", "rowData", [_line(item) for item in newest])
        self._table.classes(add="has-rows") if newest else self._table.classes(remove="has-rows")
        more = len(contents.items) - len(newest)
        said = f"{len(contents.items):,} events. Choose one to see all of it, and to put it back."
        if more:
            said += f" The {more:,} oldest are not shown."
        if contents.foreign:
            said += f" {contents.foreign:,} more messages are none of the pipeline's."
        self._hint.set_text(said if contents.items else "Nothing is in the queues.")

    def _open(self, name: str) -> None:
        contents = self._contents
        item = next((i for i in contents.items if i.name == name), None) if contents else None
        if contents is not None and item is not None:
            self._mending.open(item, contents)


def _line(item: Item) -> dict[str, Any]:
    payload = item.lost or ""
    if item.payload is not None:
        payload = shown_bytes(item.payload[:PAYLOAD_SHOWN])
    return {
        "key": item.name,
        "time": clock_time(item.failed_at),
        "queue": item.origin.value,
        "product": shown(item.product_id or ""),
        "reason": shown(item.reason),
        "payload": payload,
    }
