"""The controls of a demo: the producer, events by hand, the pipe and its worker."""

from __future__ import annotations

from nicegui import ui

from dashboard.controls.actions import Actions, PipeControl, ProducerControl
from dashboard.controls.events import POISONS, Sending
from dashboard.web.doing import do, say
from dashboard.web.form import EventForm
from dashboard.web.session import PageSession

FASTEST = 1_000


class Controls:
    """What there is of them; each is used only by the session that the page was made for."""

    def __init__(self, actions: Actions, session: PageSession) -> None:
        self._session = session
        self._producer: ProducerPart | None = None
        self._pipe: PipePart | None = None
        with ui.element("section").classes("card controls").props('aria-label="Controls"'):
            ui.label("Controls").classes("card-title for-ears").props(
                'role="heading" aria-level="2"'
            )
            if actions.producer:
                self._producer = ProducerPart(actions.producer, session)
            if actions.sending:
                _events(actions.sending, session)
            if actions.pipe:
                self._pipe = PipePart(actions.pipe, session)

    def show(self, pipe_state: str | None, rate: float | None, paused: bool | None) -> None:
        if self._producer is not None:
            self._producer.show(rate, paused)
        if self._pipe is not None:
            self._pipe.show(pipe_state)


class ProducerPart:
    def __init__(self, producer: ProducerControl, session: PageSession) -> None:
        self._producer = producer
        self._session = session
        self._paused: bool | None = None
        with _group("Producer"):
            self._rate = (
                ui.number("Events per second", min=0.1, max=FASTEST, value=None)
                .props("dense outlined")
                .classes("rate")
                .on("keydown.enter", self._set)
            )
            ui.button("Set", on_click=self._set).props('outline no-caps aria-label="Set the rate"')
            self._button = ui.button("Pause", icon="pause", on_click=self._turn).props(
                "outline no-caps"
            )

    def show(self, rate: float | None, paused: bool | None) -> None:
        if self._rate.value is None and rate is not None:
            self._rate.set_value(rate)
        if paused is not None and paused is not self._paused:
            self._paused = paused
            self._button.set_text("Resume" if paused else "Pause")
            self._button.props(f"icon={'play_arrow' if paused else 'pause'}")

    async def _set(self) -> None:
        rate = self._rate.value
        if rate is None or not 0.1 <= rate <= FASTEST:
            say(f"The rate is a number from 0.1 to {FASTEST:,}.", bad=True)
            return
        await do(self._session, self._producer.set_rate, float(rate))

    async def _turn(self) -> None:
        await do(self._session, self._producer.pause, not self._paused)


class PipePart:
    def __init__(self, pipe: PipeControl, session: PageSession) -> None:
        self._pipe = pipe
        self._session = session
        self._running: bool | None = None
        with _group("Pipe"):
            self._button = ui.button("Stop", icon="stop", on_click=self._turn).props(
                "outline no-caps"
            )
            if pipe.crash_url:
                ui.button("Kill its worker", icon="bolt", on_click=self._kill).props(
                    "outline no-caps color=negative"
                )

    def show(self, state: str | None) -> None:
        running = state in ("RUNNING", "STARTING")
        if state is not None and running is not self._running:
            self._running = running
            self._button.set_text("Stop" if running else "Start")
            self._button.props(f"icon={'stop' if running else 'play_arrow'}")

    async def _turn(self) -> None:
        await do(self._session, self._pipe.stop if self._running else self._pipe.start)

    async def _kill(self) -> None:
        await do(self._session, self._pipe.kill)


def _events(sending: Sending, session: PageSession) -> None:
    async def inject() -> None:
        sent = await do(session, sending.send_poison, str(way.value), "Poison")
        if sent is not None:
            say(f"Sent, to be rejected: {sent}")

    form = EventForm(sending, session)
    with _group("Events"):
        ui.button("Send an event", icon="send", on_click=form.open).props("outline no-caps")
        way = (
            ui.select({name: name.replace("_", " ") for name in POISONS}, value=POISONS[0])
            .props('dense outlined options-dense aria-label="How the event is broken"')
            .classes("way")
        )
        ui.button("Inject poison", icon="science", on_click=inject).props(
            "outline no-caps color=negative"
        )


def _group(title: str) -> ui.element:
    group = ui.element("div").classes("group").props(f'role="group" aria-label="{title}"')
    with group:
        ui.label(title).classes("group-title")
    return group
