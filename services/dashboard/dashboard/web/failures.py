"""What failed: each event with its reason and payload, and a dialog that redrives it.

Reading a queue hides its messages from its other readers for a moment. The page therefore takes the
failures of its own time from the stream and the function's log, and reads the queues only when a
user asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from nicegui import ui

from dashboard.controls.actions import Actions
from dashboard.model.pipeline import Pipeline
from dashboard.sources.hub import Hub
from dashboard.web.elements import button, card, clock_time, dialog
from dashboard.web.events import FAILURE_COLUMNS, OUTCOMES, EventList, Line, lines_of
from dashboard.web.session import PageSession, say
from inventory_aws.shown import shown, shown_bytes
from operations.numbers import counted
from operations.redrive.failed_event import FailedEvent, Origin
from operations.redrive.plan import Action, Decision
from operations.redrive.service import FailedEvents
from operations.redrive.text import decision_line
from operations.verify.explain import RecordStatus

MOST_SHOWN = 500
PAYLOAD_SHOWN = 300
GIVE_UP = 10.0  # seconds
STATUS = {Origin.REJECTED: RecordStatus.REJECTED, Origin.DEAD_LETTERS: RecordStatus.DEAD_LETTERED}
REJECTED, DEAD_LETTERED = OUTCOMES[RecordStatus.REJECTED], OUTCOMES[RecordStatus.DEAD_LETTERED]


class Failures:
    def __init__(self, hub: Hub, actions: Actions, session: PageSession) -> None:
        self._hub = hub
        self._actions = actions
        self._session = session
        self._failed = FailedEvents((), (), 0)
        self._events: dict[str, FailedEvent] = {}
        self._loaded: list[Line] = []
        self._observed: list[Line] = []
        self._version = -1
        with card("What failed", "failures") as head:
            self._list = EventList(FAILURE_COLUMNS, ["outcome", "event"], self._open)
            self._hint = ui.label().classes("hint")
        with head:
            load = button("Load the queues", "refresh", lambda: self._load("Queues loaded"))
            load.props('dense title="Hides the messages from others for some seconds"')

    def show(self, pipeline: Pipeline) -> None:
        figures = pipeline.figures
        depths = {REJECTED: figures.rejected, DEAD_LETTERED: figures.dead_letters}
        loaded = [line for line in self._loaded if depths[line["outcome"]] != 0]
        if pipeline.version != self._version:
            self._version, self._observed = pipeline.version, lines_of(pipeline.newest_failures())
        by_key = {line["key"]: line for line in [*self._observed, *loaded]}
        lines = list(by_key.values())[:MOST_SHOWN]
        self._hint.set_text(hint(lines, figures.rejected, figures.dead_letters))
        self._list.grid.set_visibility(bool(lines))
        self._list.show(lines)

    async def _load(self, done: str = "") -> bool:
        began = time.time()
        failed = await self._session.do(self._actions.redrive.read, done=done)
        if failed is None:
            return False
        newest = sorted(failed.events, key=lambda event: event.failed_at, reverse=True)
        self._failed = failed
        self._events = {event.name: event for event in newest}
        self._loaded = [_line(event) for event in newest[:MOST_SHOWN]]
        with self._hub.pipeline() as pipeline:
            pipeline.queued(STATUS.values(), {event.place for event in newest}, began)
        return True

    async def _open(self, line: Line) -> None:
        name = line["key"]
        if name not in self._events and not await self._load():
            return
        if name not in self._events:
            say("The message is not visible in its queue. Try again in some seconds.", bad=True)
            return
        event = self._events[name]
        opened = FailedEventDialog(event, self._failed, self._actions, self._session)
        if await opened.dialog:
            with self._hub.pipeline() as pipeline:
                pipeline.redriven([event.place])
            await self._load()


class FailedEventDialog:
    """A dialog that shows what an event would do now, and redrives it, corrected or not.

    Its result is whether the event has left its queue.
    """

    def __init__(
        self, event: FailedEvent, failed: FailedEvents, actions: Actions, session: PageSession
    ) -> None:
        self._event = event
        self._messages = failed.messages
        self._service = actions.redrive
        self._may_redrive = actions.may_redrive
        self._session = session
        title = f"{event.origin.value.capitalize()}: {event.name}"
        with dialog("Failed event", title) as self.dialog:
            ui.label(shown(event.reason)).classes("is-bad")
            self._payload = ui.textarea("Payload", value=_text(event), on_change=self._plan)
            self._payload.props("outlined autogrow debounce=300 spellcheck=false")
            self._payload.classes("payload").set_enabled(actions.may_redrive)
            self._effect = ui.label().props('role="status" aria-live="polite"')
            self._button = button("Redrive", "replay", self._redrive, "unelevated")
            self._button.classes("self-end").set_visibility(actions.may_redrive)
            ui.timer(0, self._plan, once=True)

    async def _plan(self) -> Decision | None:
        """Say what would become of the event as it is written now."""
        event, text = self._event, str(self._payload.value or "")
        if event.payload is not None and text != _text(event):
            event = event.with_payload(text.encode("utf-8", "surrogatepass"))
        decisions = await self._session.do(lambda: self._service.plan([event]))
        if not decisions:
            return None
        decision = decisions[0]
        force, edit = "inventory redrive --force sends it", "correct its payload"
        effect = decision_line(decision, force=force, edit=edit)
        self._effect.set_text(f"If redriven now: {effect.removeprefix(event.name).strip()}")
        self._button.set_enabled(decision.action is not Action.LEAVE)
        return decision

    async def _redrive(self) -> None:
        decision = await self._plan()
        if decision is None or decision.action is Action.LEAVE or not self._may_redrive:
            return
        done = await self._session.do(
            lambda: self._service.carry_out([decision], self._messages, give_up_after=GIVE_UP),
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
        self.dialog.submit(True)


def hint(lines: Sequence[Line], rejected: int | None, dead_letters: int | None) -> str:
    """Say what the list does not show; `rejected` and `dead_letters` are the queues' depths."""
    outcomes = [line["outcome"] for line in lines]
    missing = []
    if rejected is None or dead_letters is None:
        missing.append("the queues, which do not answer")
    if (more := (rejected or 0) - outcomes.count(REJECTED)) > 0:
        missing.append(f"{more:,} rejected")
    if dead_letters and DEAD_LETTERED not in outcomes:
        missing.append(f"{counted(dead_letters, 'message')} of the dead-letter queue")
    if missing:
        return f"Not loaded: {' and '.join(missing)}."
    return "Select an event to see all of it." if lines else "Nothing failed."


def _line(event: FailedEvent) -> Line:
    payload = event.lost or ""
    if event.payload is not None:
        payload = shown_bytes(event.payload[:PAYLOAD_SHOWN])
    return {
        "key": event.name,
        "time": clock_time(event.failed_at),
        "product": shown(event.product_id or ""),
        "event": payload,
        "outcome": OUTCOMES[STATUS[event.origin]],
        "effect": shown(event.reason),
    }


def _text(event: FailedEvent) -> str:
    if event.payload is None:
        return event.lost or ""
    return event.payload.decode("utf-8", errors="backslashreplace")
