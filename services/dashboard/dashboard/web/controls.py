"""The controls of a demo: the producer, events by hand, the pipe and its worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui import ui
from nicegui.elements.mixins.disableable_element import DisableableElement

from dashboard.controls.actions import Actions, PipeControl, ProducerControl, rate_of
from dashboard.controls.events import POISONS, Sending
from dashboard.model.figures import Figures
from dashboard.sources.hub import Hub
from dashboard.web.form import EventForm
from dashboard.web.session import PageSession

DANGER = "outline no-caps color=negative"


class Controls:
    """Those that are configured. Each is off while its service does not answer."""

    def __init__(self, hub: Hub, actions: Actions, session: PageSession) -> None:
        self._parts: list[ProducerPart | EventsPart | PipePart] = []
        with ui.element("section").classes("card controls").props('aria-label="Controls"'):
            if actions.producer:
                self._parts.append(ProducerPart(hub, actions.producer, session))
            if actions.sending:
                self._parts.append(EventsPart(actions.sending, session))
            if actions.pipe:
                self._parts.append(PipePart(actions.pipe, session))

    def show(self, figures: Figures) -> None:
        for part in self._parts:
            part.show(figures)


class ProducerPart:
    def __init__(self, hub: Hub, producer: ProducerControl, session: PageSession) -> None:
        self._hub = hub
        self._producer = producer
        self._session = session
        self._known = ""
        self._paused = False
        with _group("Producer"):
            self._rate = (
                ui.input("Events per second", validation=self._problem)
                .props("dense outlined hide-bottom-space inputmode=decimal")
                .classes("rate")
                .on("keydown.enter", self._set)
            )
            self._set_button = _button("Set rate", "speed", self._set)
            self._pause = _button("Pause producer", "pause", self._turn)

    def show(self, figures: Figures) -> None:
        ended = figures.producer_runs is False
        # What is typed while the producer does not answer is kept: a field that is off drops it.
        _enable([self._rate], not ended)
        _enable([self._set_button, self._pause], not ended and "producer" not in figures.trouble)
        for button in (self._set_button, self._pause):
            if ended:
                button.props('title="The producer is not running"')
            else:
                button.props(remove="title")
        rate = "" if figures.producer_rate is None else f"{figures.producer_rate:g}"
        if rate != self._known:
            before, self._known = self._known, rate
            if self._rate.value == before:  # nobody is about to type another one
                self._rate.set_value(rate)
        if (paused := bool(figures.producer_paused)) is not self._paused:
            self._paused = paused
            _say_on(self._pause, *PAUSE_BUTTON[paused])

    def _problem(self, text: str | None) -> str | None:
        """Why it is no rate to set. The one that is set may be any: others set it, too."""
        try:
            if text != self._known:
                rate_of(text or "")
        except ValueError as error:
            return str(error)
        return None

    async def _set(self) -> None:
        if not self._rate.validate():
            return
        rate = f"{rate_of(str(self._rate.value)):g}"
        if await self._change(f"Rate set to {rate} a second", f"Rate {rate}", rate=float(rate)):
            self._rate.set_value(rate)

    async def _turn(self) -> None:
        if self._paused:
            await self._change("Producer resumed", "Resume", paused=False)
        else:
            await self._change("Producer paused", "Pause", paused=True)

    async def _change(self, done: str, mark: str, **pace: float | bool) -> bool:
        status = await self._session.do(lambda: self._producer.set(**pace), done=done, mark=mark)
        if status is None:
            return False
        with self._hub.pipeline() as pipeline:  # all tabs follow
            pipeline.figures.producer_reports(status)
        return True


PAUSE_BUTTON = {False: ("Pause producer", "pause"), True: ("Resume producer", "play_arrow")}
PIPE_BUTTON = {True: ("Stop pipe", "stop"), False: ("Start pipe", "play_arrow")}


class PipePart:
    def __init__(self, pipe: PipeControl, session: PageSession) -> None:
        self._pipe = pipe
        self._session = session
        self._running = True
        with _group("Pipe"):
            self._buttons = [_button("Stop pipe", "stop", self._turn)]
            if pipe.crash_url:
                self._buttons.append(_button("Kill pipe worker", "bolt", self._kill, DANGER))

    def show(self, figures: Figures) -> None:
        _enable(self._buttons, "pipe" not in figures.trouble)
        if figures.pipe_state is None:
            return
        running = figures.pipe_state in ("RUNNING", "STARTING")
        if running is not self._running:
            self._running = running
            _say_on(self._buttons[0], *PIPE_BUTTON[running])

    async def _turn(self) -> None:
        if self._running:
            await self._session.do(self._pipe.stop, done="Pipe is stopping", mark="Stop pipe")
        else:
            await self._session.do(self._pipe.start, done="Pipe is starting", mark="Start pipe")

    async def _kill(self) -> None:
        await self._session.do(self._pipe.kill, done="Pipe worker killed", mark="Kill pipe worker")


class EventsPart:
    def __init__(self, sending: Sending, session: PageSession) -> None:
        self._sending = sending
        self._session = session
        form = EventForm(sending, session)
        with _group("Events"):
            send = _button("Send event", "send", form.open)
            self._way = (
                ui.select({name: name.replace("_", " ") for name in POISONS}, value=POISONS[0])
                .props('dense outlined options-dense aria-label="Poison"')
                .classes("way")
            )
            poison = _button("Send poison event", "science", self._send_poison, DANGER)
        self._elements = [send, self._way, poison]

    def show(self, figures: Figures) -> None:
        _enable(self._elements, "stream" not in figures.trouble)

    async def _send_poison(self) -> None:
        way = str(self._way.value)
        await self._session.do(
            lambda: self._sending.send_poison(way, "Poison"),
            done=f"Poison event sent: {way.replace('_', ' ')}",
            mark="Poison",
        )


def _button(
    text: str, icon: str, on_click: Callable[[], object], props: str = "outline no-caps"
) -> ui.button:
    return ui.button(text, icon=icon, on_click=on_click).props(props)


def _say_on(button: ui.button, text: str, icon: str) -> None:
    button.set_text(text)
    button.props(f"icon={icon}")


def _enable(elements: Sequence[DisableableElement], enabled: bool) -> None:
    for element in elements:
        element.set_enabled(enabled)


def _group(title: str) -> ui.element:
    return ui.element("div").classes("group").props(f'role="group" aria-label="{title}"')
