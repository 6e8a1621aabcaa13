"""The controls of a demo: the producer, events sent by hand, and the pipe with its worker."""

from __future__ import annotations

from nicegui import ui

from dashboard.controls.actions import Actions, PipeControl, ProducerControl, rate_of
from dashboard.controls.events import POISONS, TYPES, Sending, problem
from dashboard.model.figures import Figures
from dashboard.model.pipeline import Pipeline
from dashboard.sources.hub import Hub
from dashboard.web.elements import button, dialog
from dashboard.web.session import PageSession

LABELS = {
    "product_id": "Product id",
    "product_name": "Product name",
    "quantity": "Quantity (new level)",
    "quantity_change": "Quantity change (+ or -)",
    "timestamp": "Timestamp (optional)",
}
DANGER = "outline color=negative"
PAUSE = {False: ("Pause producer", "pause"), True: ("Resume producer", "play_arrow")}
STOP = {True: ("Stop pipe", "stop"), False: ("Start pipe", "play_arrow")}


class ProducerControls:
    def __init__(
        self, hub: Hub, figures: Figures, producer: ProducerControl, session: PageSession
    ) -> None:
        self._hub = hub
        self._producer = producer
        self._session = session
        self._known = _rate_text(figures)
        self._paused = False
        with _group("Producer"):
            # Typing clears the error: only _set_rate looks at the text.
            self._rate = ui.input("Events per second", value=self._known, validation=lambda _: None)
            self._rate.classes("rate").props("dense outlined hide-bottom-space inputmode=decimal")
            self._rate.on("keydown.enter", self._set_rate)
            self._set = button("Set rate", "speed", self._set_rate)
            self._pause = button(*PAUSE[False], self._turn)

    def show(self, pipeline: Pipeline) -> None:
        figures = pipeline.figures
        ended = figures.producer_runs is False
        # A field that is off drops what is typed, so it stays on while the producer is silent.
        self._rate.set_enabled(not ended)
        title = "The producer is not running" if ended else ""
        for element in (self._set, self._pause):
            element.set_enabled(not ended and "producer" not in figures.trouble)
            element.props(f'title="{title}"')
        if self._rate.value == self._known:  # nobody is typing another one
            self._rate.set_value(_rate_text(figures))
        self._known = _rate_text(figures)
        self._paused = bool(figures.producer_paused)
        _label(self._pause, *PAUSE[self._paused])

    async def _set_rate(self) -> None:
        try:
            rate = rate_of(self._rate.value or "")
        except ValueError as error:
            self._rate.error = str(error)
            return
        self._rate.set_value(f"{rate:g}")
        await self._change(f"Rate set to {rate:g} a second", f"Rate {rate:g}", rate=rate)

    async def _turn(self) -> None:
        if self._paused:
            await self._change("Producer resumed", "Resume", paused=False)
        else:
            await self._change("Producer paused", "Pause", paused=True)

    async def _change(self, done: str, mark: str, **pace: float | bool) -> None:
        status = await self._session.do(lambda: self._producer.set(**pace), done=done, mark=mark)
        if status is not None:
            with self._hub.pipeline() as pipeline:  # all tabs follow
                pipeline.figures.producer_reports(status)


class EventControls:
    def __init__(self, sending: Sending, session: PageSession) -> None:
        self._sending = sending
        self._session = session
        with _group("Events"):
            self._send = button("Send event", "send", lambda: EventForm(sending, session))
            ways = {way: way.replace("_", " ") for way in POISONS}
            self._way = ui.select(ways, value=POISONS[0]).classes("way")
            self._way.props('dense outlined options-dense aria-label="Poison"')
            self._poison = button("Send poison event", "science", self._send_poison, DANGER)

    def show(self, pipeline: Pipeline) -> None:
        for element in (self._send, self._way, self._poison):
            element.set_enabled("stream" not in pipeline.figures.trouble)

    async def _send_poison(self) -> None:
        way = str(self._way.value)
        await self._session.do(
            lambda: self._sending.send_poison(way, "Poison"),
            done=f"Poison event sent: {way.replace('_', ' ')}",
            mark="Poison",
        )


class EventForm:
    """A dialog for an event, which is checked as the function will check it."""

    def __init__(self, sending: Sending, session: PageSession) -> None:
        self._sending = sending
        self._session = session
        with dialog("Send event", "Send event", "narrow") as self._dialog:
            kinds = {kind: kind.replace("_", " ") for kind in TYPES}
            self._kind = ui.select(kinds, value="product_added", label="Event type")
            self._kind.props("outlined").on_value_change(self._check)
            self._fields = {
                name: ui.input(label, on_change=self._check).props("outlined dense")
                for name, label in LABELS.items()
            }
            self._problem = ui.label().props('role="status" aria-live="polite"')
            self._send = button("Send", "send", self._submit, "unelevated")
        self._check()
        self._dialog.open()

    def _check(self) -> None:
        kind, values = self._event()
        for name, field in self._fields.items():
            field.set_visibility(name == "product_id" or name in TYPES[kind])
        wrong = problem(kind, values)
        is_empty = not any(values.values())
        self._problem.set_text("" if is_empty else wrong or "Valid event")
        self._problem.classes(replace="is-bad" if wrong and not is_empty else "is-good")
        self._send.set_enabled(wrong is None)

    async def _submit(self) -> None:
        kind, values = self._event()
        sent = await self._session.do(
            lambda: self._sending.send(kind, values),
            done=f"Event sent for product {values['product_id'].strip()}",
            mark=kind.replace("_", " ").capitalize(),
        )
        if sent is not None:
            self._dialog.close()

    def _event(self) -> tuple[str, dict[str, str]]:
        values = {name: str(field.value or "") for name, field in self._fields.items()}
        return str(self._kind.value), values


class PipeControls:
    def __init__(self, pipe: PipeControl, session: PageSession) -> None:
        self._pipe = pipe
        self._session = session
        self._running = True
        with _group("Pipe"):
            self._buttons = [button(*STOP[True], self._turn)]
            if pipe.crash_url:
                self._buttons.append(button("Kill pipe worker", "bolt", self._kill, DANGER))

    def show(self, pipeline: Pipeline) -> None:
        figures = pipeline.figures
        for element in self._buttons:
            element.set_enabled("pipe" not in figures.trouble)
        if figures.pipe_state is not None:
            self._running = figures.pipe_state in ("RUNNING", "STARTING")
            _label(self._buttons[0], *STOP[self._running])

    async def _turn(self) -> None:
        if self._running:
            await self._session.do(self._pipe.stop, done="Pipe is stopping", mark="Stop pipe")
        else:
            await self._session.do(self._pipe.start, done="Pipe is starting", mark="Start pipe")

    async def _kill(self) -> None:
        await self._session.do(self._pipe.kill, done="Pipe worker killed", mark="Kill pipe worker")


Part = ProducerControls | EventControls | PipeControls


def controls(hub: Hub, figures: Figures, actions: Actions, session: PageSession) -> list[Part]:
    """Add the controls that are configured. Each is off while its service does not answer."""
    parts: list[Part] = []
    if actions.any:
        with ui.element("section").classes("card controls").props('aria-label="Controls"'):
            if actions.producer:
                parts.append(ProducerControls(hub, figures, actions.producer, session))
            if actions.sending:
                parts.append(EventControls(actions.sending, session))
            if actions.pipe:
                parts.append(PipeControls(actions.pipe, session))
    return parts


def _rate_text(figures: Figures) -> str:
    return "" if figures.producer_rate is None else f"{figures.producer_rate:g}"


def _group(title: str) -> ui.element:
    return ui.element("div").classes("group").props(f'role="group" aria-label="{title}"')


def _label(element: ui.button, text: str, icon: str) -> None:
    element.set_text(text)
    element.props(f"icon={icon}")
