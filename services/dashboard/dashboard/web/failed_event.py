"""One failed event: all of it, what it would do now, and putting it back, edited or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from dashboard.controls.actions import Actions
from dashboard.controls.redrive import edited
from dashboard.sources.hub import Hub
from dashboard.web.elements import dialog
from dashboard.web.session import PageSession, say
from inventory_aws.shown import shown
from operations.redrive import showing
from operations.redrive.inbox import Contents
from operations.redrive.item import Item
from operations.redrive.plan import Action, Decision

FORCE = "Send even if newer events exist"


class FailedEvent:
    """A dialog. `on_done` is awaited when an event has left its queue."""

    def __init__(
        self,
        hub: Hub,
        actions: Actions,
        session: PageSession,
        on_done: Callable[[], Awaitable[object]],
    ) -> None:
        self._hub = hub
        self._actions = actions
        self._session = session
        self._on_done = on_done
        self._item: Item | None = None
        self._contents: Contents | None = None
        self._decision: Decision | None = None
        with dialog("Failed event") as (self._dialog, self._title):
            self._reason = ui.label().classes("problem")
            self._payload = (
                ui.textarea("Payload", on_change=self._changed)
                .props("outlined autogrow debounce=300 spellcheck=false")
                .classes("wide payload")
            )
            self._verdict = ui.label().props('role="status" aria-live="polite"')
            with ui.element("div").classes("apart"):
                self._force = ui.checkbox(FORCE, on_change=self._changed)
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
        decisions = await self._session.do(lambda: self._actions.redrive.plan([item], force=force))
        if not decisions:
            return
        self._decision = decisions[0]
        effect = showing.decided(
            self._decision, force=f"to send it, select “{FORCE}”", edit="correct its payload"
        )
        self._verdict.set_text(f"If redriven now: {effect.removeprefix(item.name).strip()}")
        self._redrive.set_enabled(self._decision.action is not Action.LEAVE)

    async def _carry_out(self) -> None:
        decision, contents = self._decision, self._contents
        if decision is None or contents is None or not self._actions.may_redrive:
            return
        done = await self._session.do(
            lambda: self._actions.redrive.carry_out([decision], contents), mark="Redrive"
        )
        if done is None:
            return
        if done.sent:
            say("Event redriven: it is on the stream again.")
        elif done.forgotten:
            say("Event removed from its queue: it was applied before.")
        else:
            say("This event has left its queue, or another program is reading it.", bad=True)
        with self._hub.pipeline() as pipeline:
            pipeline.redriven([decision.item.place])
        self._dialog.close()
        await self._on_done()


def _text(item: Item) -> str:
    if item.payload is None:
        return item.lost or ""
    return item.payload.decode("utf-8", errors="backslashreplace")
