"""What failed: each event with its reason and payload, and putting it back.

Reading a queue hides its messages from its other readers for a moment. So what failed while the
page's server runs is taken from the stream and the function's log, and the queues are read only
when a user asks for what is in them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from nicegui import ui

from dashboard.controls.actions import Actions
from dashboard.sources.hub import Hub
from dashboard.web.elements import heading
from dashboard.web.failed_event import FailedEventDialog
from dashboard.web.feed import EVENT, FATES, PRODUCT, TIME, Line, table
from dashboard.web.session import PageSession, say
from dashboard.web.times import clock_time
from inventory_aws.shown import shown, shown_bytes
from operations.numbers import counted
from operations.redrive.failed_event import FailedEvent, Origin
from operations.redrive.service import FailedEvents
from operations.verify.explain import RecordStatus

MOST_SHOWN = 500
PAYLOAD_SHOWN = 300
FATE_OF = {Origin.REJECTED: RecordStatus.REJECTED, Origin.DEAD_LETTERS: RecordStatus.DEAD_LETTERED}

COLUMNS: list[dict[str, Any]] = [
    TIME,
    PRODUCT,
    {"headerName": "Outcome", "field": "fate", "width": 128, "cellClass": "fate-bad"},
    {
        "headerName": "Reason",
        "field": "effect",
        "flex": 4,
        "minWidth": 130,
        "tooltipField": "effect",
    },
    EVENT,
]


class Failures:
    """A card with the list. `observed` gets what the stream and the log tell."""

    def __init__(self, hub: Hub, actions: Actions, session: PageSession) -> None:
        self._hub = hub
        self._actions = actions
        self._session = session
        self._failed: FailedEvents | None = None
        self._loaded: list[Line] = []
        self._observed: list[Line] = []
        self._shown: list[Line] | None = None
        with ui.element("section").classes("card failures").props('aria-label="What failed"'):
            with ui.element("div").classes("card-head"):
                heading("What failed")
                ui.button(
                    "Load the queues", icon="refresh", on_click=lambda: self.load("Queues loaded")
                ).props(
                    'outline no-caps dense title="Hides the messages from others for some seconds"'
                )
            self._table = table(COLUMNS, ["fate", "event"], "").classes("grid failures-grid")
            self._table.set_visibility(False)
            self._table.on("cellClicked", lambda e: self._open(e.args["data"]["key"]), ["data"])
            self._hint = ui.label("Not loaded.").classes("hint")
        self._dialog = FailedEventDialog(hub, actions, session, self.load)

    def observed(self, failed: list[Line]) -> None:
        self._observed = failed

    def show(self, rejected: int | None, dead_letters: int | None) -> None:
        depths = {RecordStatus.REJECTED: rejected, RecordStatus.DEAD_LETTERED: dead_letters}
        empty = [FATES[fate] for fate, depth in depths.items() if depth == 0]
        loaded = [line for line in self._loaded if line["fate"] not in empty]
        known = {line["key"] for line in loaded}
        newer = [line for line in self._observed if line["key"] not in known]
        rows = [*newer, *loaded][:MOST_SHOWN]
        self._hint.set_text(hint(rows, rejected, dead_letters))
        if rows != self._shown:
            self._shown = rows
            self._table.set_visibility(bool(rows))
            self._table.run_grid_method("setGridOption", "rowData", rows)

    async def load(self, done: str = "") -> None:
        began = time.time()
        failed = await self._session.do(self._actions.redrive.read, done=done)
        if failed is not None:
            self._failed = failed
            newest = sorted(failed.events, key=lambda item: item.failed_at, reverse=True)
            self._loaded = [_line(item) for item in newest[:MOST_SHOWN]]
            places = {item.place for item in failed.events}
            with self._hub.pipeline() as pipeline:
                pipeline.queued(FATE_OF.values(), places, began)

    async def _open(self, name: str) -> None:
        item = self._item(name)
        if item is None:
            await self.load()
            item = self._item(name)
        if self._failed is None:
            return
        if item is None:
            say("The message is not visible in its queue. Try again in some seconds.", bad=True)
        else:
            self._dialog.open(item, self._failed)

    def _item(self, name: str) -> FailedEvent | None:
        items = self._failed.events if self._failed else ()
        return next((item for item in items if item.name == name), None)


def hint(rows: Sequence[Line], rejected: int | None, dead_letters: int | None) -> str:
    """What the list says of itself, `rejected` and `dead_letters` being the queues' depths."""
    fates = [row["fate"] for row in rows]
    missing = []
    if rejected is None or dead_letters is None:
        missing.append("the queues, which do not answer")
    if (more := (rejected or 0) - fates.count(FATES[RecordStatus.REJECTED])) > 0:
        missing.append(f"{more:,} rejected")
    if dead_letters and FATES[RecordStatus.DEAD_LETTERED] not in fates:
        missing.append(f"{counted(dead_letters, 'message')} of the dead-letter queue")
    if missing:
        return f"Not loaded: {' and '.join(missing)}."
    return "Select an event to see all of it." if rows else "Nothing failed."


def _line(event: FailedEvent) -> Line:
    payload = event.lost or ""
    if event.payload is not None:
        payload = shown_bytes(event.payload[:PAYLOAD_SHOWN])
    return {
        "key": event.name,
        "time": clock_time(event.failed_at),
        "product": shown(event.product_id or ""),
        "fate": FATES[FATE_OF[event.origin]],
        "effect": shown(event.reason),
        "event": payload,
    }
