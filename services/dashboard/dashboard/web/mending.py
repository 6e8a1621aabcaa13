"""One failed event: all of it, what it would do now, and putting it back, mended if need be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from dashboard.controls.actions import Actions
from dashboard.controls.redrive import edited
from dashboard.web.doing import do, say
from dashboard.web.session import PageSession
from inventory_cli.redrive import showing
from inventory_cli.redrive.inbox import Contents
from inventory_cli.redrive.item import Item
from inventory_cli.redrive.plan import Action, Decision
from producer.shown import shown


class Mending:
    """A dialog. `on_done` is awaited when an event has left its queue."""

    def __init__(
        self, actions: Actions, session: PageSession, on_done: Callable[[], Awaitable[object]]
    ) -> None:
        self._actions = actions
        self._session = session
        self._on_done = on_done
        self._item: Item | None = None
        self._contents: Contents | None = None
        self._decision: Decision | None = None
        with (
            ui.dialog().props('aria-label="A failed event"') as self._dialog,
            ui.card().classes("dialog"),
        ):
            with ui.element("div").classes("card-head"):
                self._title = (
                    ui.label().classes("card-title").props('role="heading" aria-level="2"')
                )
                ui.button(icon="close", on_click=self._dialog.close).props(
                    'flat round dense aria-label="Close"'
                )
            self._reason = ui.label().classes("problem")
            self._payload = (
                ui.textarea("Payload", on_change=self._changed)
                .props("outlined autogrow debounce=300 spellcheck=false")
                .classes("wide payload")
            )
            self._verdict = ui.label().props('role="status" aria-live="polite"')
            with ui.element("div").classes("apart"):
                self._force = ui.checkbox("Over newer events too", on_change=self._changed)
                self._redrive = ui.button("Redrive", icon="replay", on_click=self._carry_out).props(
                    "no-caps unelevated"
                )
        self._payload.set_enabled(actions.may_redrive)
        self._redrive.set_visibility(actions.may_redrive)
        self._force.set_visibility(actions.may_redrive)

    def open(self, item: Item, contents: Contents) -> None:
        self._item, self._contents = item, contents
        self._title.set_text(f"{item.origin.value.capitalize()}: {item.name}")
        self._reason.set_text(shown(item.reason))
        self._force.set_value(False)
        self._payload.set_value(_text(item))
        self._dialog.open()
        ui.timer(0, self._changed, once=True)

    async def _changed(self) -> None:
        """Say what would become of it as it is written now."""
        if self._item is None:
            return
        item = self._item
        text = str(self._payload.value or "")
        if item.payload is not None and text != _text(item):
            item = edited(item, text.encode("utf-8", "surrogatepass"))
        force = bool(self._force.value)
        decisions = await do(self._session, self._actions.redrive.plan, [item], force=force)
        if not decisions:
            return
        self._decision = decisions[0]
        told = showing.decided(self._decision).removeprefix(item.name).strip()
        self._verdict.set_text(f"Put back now: {told}")
        self._redrive.set_enabled(self._decision.action is not Action.LEAVE)

    async def _carry_out(self) -> None:
        if self._decision is None or self._contents is None or not self._actions.may_redrive:
            return
        done = await do(
            self._session, self._actions.redrive.carry_out, [self._decision], self._contents
        )
        if done is None:
            return
        if done.sent or done.forgotten:
            say("It is on the stream again." if done.sent else "It has left its queue.")
        else:
            say("It was gone from its queue, or somebody else has it.", bad=True)
        self._dialog.close()
        await self._on_done()


def _text(item: Item) -> str:
    if item.payload is None:
        return item.lost or ""
    return item.payload.decode("utf-8", errors="backslashreplace")
