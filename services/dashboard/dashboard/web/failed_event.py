"""One failed event: all of it, what it would do now, and putting it back, edited or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from dashboard.controls.actions import Actions
from dashboard.sources.hub import Hub
from dashboard.web.elements import dialog
from dashboard.web.session import PageSession, say
from inventory_aws.shown import shown
from operations.redrive.failed_event import FailedEvent
from operations.redrive.plan import Action, Decision
from operations.redrive.service import FailedEvents
from operations.redrive.text import decision_line

FORCE = "Send even if newer events exist"
GIVE_UP_SECONDS = 10.0


class FailedEventDialog:
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
        self._event: FailedEvent | None = None
        self._failed: FailedEvents | None = None
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

    def open(self, event: FailedEvent, failed: FailedEvents) -> None:
        self._event, self._failed = event, failed
        self._title.set_text(f"{event.origin.value.capitalize()}: {event.name}")
        self._reason.set_text(shown(event.reason))
        self._force.set_value(False)
        self._payload.set_value(_text(event))
        self._dialog.open()
        ui.timer(0, self._changed, once=True)

    async def _changed(self) -> None:
        """Say what would become of it as it is written now."""
        if self._event is None:
            return
        event = self._event
        text = str(self._payload.value or "")
        if event.payload is not None and text != _text(event):
            event = event.with_payload(text.encode("utf-8", "surrogatepass"))
        force = bool(self._force.value)
        decisions = await self._session.do(lambda: self._actions.redrive.plan([event], force=force))
        if not decisions:
            return
        self._decision = decisions[0]
        effect = decision_line(
            self._decision, force=f"to send it, select “{FORCE}”", edit="correct its payload"
        )
        self._verdict.set_text(f"If redriven now: {effect.removeprefix(event.name).strip()}")
        self._redrive.set_enabled(self._decision.action is not Action.LEAVE)

    async def _carry_out(self) -> None:
        decision, failed = self._decision, self._failed
        if decision is None or failed is None or not self._actions.may_redrive:
            return
        done = await self._session.do(
            lambda: self._actions.redrive.carry_out(
                [decision], failed.messages, give_up_after=GIVE_UP_SECONDS
            ),
            mark="Redrive",
        )
        if done is None:
            return
        if done.sent:
            say("Event redriven: it is on the stream again.")
        elif done.removed:
            say("Event removed from its queue: it was applied before.")
        else:
            say("This event has left its queue, or another program is reading it.", bad=True)
        with self._hub.pipeline() as pipeline:
            pipeline.redriven([decision.event.place])
        self._dialog.close()
        await self._on_done()


def _text(event: FailedEvent) -> str:
    if event.payload is None:
        return event.lost or ""
    return event.payload.decode("utf-8", errors="backslashreplace")
