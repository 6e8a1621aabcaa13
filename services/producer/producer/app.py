"""Runs `produce`: reads the settings, connects, sends and shows the events."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic

import click

from inventory_aws.outbox import Event
from inventory_aws.sender import Accepted, Sender, SendingError
from inventory_aws.shown import shown
from producer import generator, jsonlines, pacing
from producer.connect import connect
from producer.control import Pace, serve
from producer.errors import CannotStartError
from producer.feed import feed
from producer.heartbeat import Heartbeat
from producer.jsonoutput import JsonOutput
from producer.report import Report
from producer.settings import Settings
from producer.stop import StopRequest
from producer.textoutput import PlainConsole, TextOutput
from producer.usage import discard_output


def run(settings: Settings) -> None:
    """Send the events that `settings` ask for, until they are sent or a signal asks to stop.

    Raises CannotStartError before anything is sent, and SendingError, which says how many events
    are unconfirmed, when it had to end before the stream had accepted all it had taken.
    """
    events = _events(settings)
    beat = _heartbeat(settings)
    with StopRequest() as stop, _control(settings, stop.wake) as pace:
        client = connect(settings.stream)
        trouble = ""
        with _output(settings) as output:
            report = Report(
                output,
                each_event=settings.each_event_shown,
                clock=monotonic,
                asked=lambda: None if pace.paused else pace.rate,
                warn=_warn,
            )

            def on_accepted(accepted: Accepted) -> None:
                report.accepted(accepted)
                beat()

            sender = Sender(
                client,
                settings.stream,
                on_accepted=on_accepted,
                on_refused=report.refused,
                clock=monotonic,
                wait=stop.wait,
                give_up_after=settings.retry_for,
            )
            try:
                feed(
                    islice(events, settings.count),
                    pace.gaps(),
                    sender,
                    duration=settings.duration or float("inf"),
                    stopping=lambda: stop.made,
                    on_flush=lambda: output.stopping(sender.pending) if stop.made else None,
                    clock=monotonic,
                    wait=stop.wait,
                    paused=lambda: _paused(pace, beat),
                    has_new_rate=lambda: pace.has_new_rate,
                )
            except KeyboardInterrupt:
                trouble = "Stopped at once"
            except SendingError as error:
                trouble = str(error)
            except BrokenPipeError:
                discard_output()
                if not sender.pending:
                    raise
                trouble = "Stopped because nothing reads the output"
            output.summary(report.summary(), unconfirmed=sender.pending)
        report.warn_at_the_end()
        while settings.stay and not trouble and not stop.made:
            beat()
            stop.wait(1.0)
    if trouble:
        raise SendingError(f"{trouble.rstrip('.')}. Events not confirmed: {sender.pending}")


def _events(settings: Settings) -> Iterator[Event]:
    """Return generated events, or those of the file, all checked before the first is sent."""
    if settings.from_file is None:
        return generator.events(settings.spec)
    if settings.from_file == "-":
        name, data = "stdin", sys.stdin.buffer.read()
    else:
        name, data = settings.from_file, Path(settings.from_file).read_bytes()
    lines = data.split(b"\n")
    return iter(list(jsonlines.events(name, lines, send_broken=settings.send_broken)))


def _gaps(rate: float | None, batch: bool) -> Iterator[float]:
    if rate is not None:
        return pacing.steady(rate)
    return pacing.unpaced() if batch else pacing.natural(random.random)


def _paused(pace: Pace, beat: Callable[[], None]) -> bool:
    """Return whether the producer is paused; a paused producer is healthy."""
    if pace.paused:
        beat()
    return pace.paused


@contextmanager
def _control(settings: Settings, on_change: Callable[[], object]) -> Iterator[Pace]:
    """The pace, which whoever reaches the control endpoint may change."""
    pace = Pace(settings.rate, lambda rate: _gaps(rate, settings.batch), on_change)
    if settings.control is None:
        yield pace
        return
    host, port = settings.control
    try:
        server = serve(pace, host, port)
    except OSError as error:
        address = shown(f"{host}:{port}")
        raise CannotStartError(
            f"Cannot listen on {address} (--control): {error.strerror or error}"
        ) from error
    try:
        yield pace
    finally:
        server.shutdown()
        server.server_close()


def _heartbeat(settings: Settings) -> Callable[[], None]:
    if settings.heartbeat is None:
        return lambda: None
    path = shown(str(settings.heartbeat))
    gap = 1 / settings.rate if settings.rate else max(pacing.NATURAL_GAP)

    def on_trouble(error: OSError) -> None:
        _warn(f"Cannot write the heartbeat: {path}: {error.strerror}. Events are still sent.")

    try:
        return Heartbeat(settings.heartbeat, gap, on_trouble).beat
    except OSError as error:
        raise CannotStartError(f"Cannot write the heartbeat: {path}: {error.strerror}") from error


def _warn(text: str) -> None:
    click.echo(f"Warning: {text}", err=True)


def _output(settings: Settings) -> TextOutput | JsonOutput:
    if settings.output == "text" or (settings.output == "auto" and sys.stdout.isatty()):
        return TextOutput(PlainConsole(highlight=False), stream=settings.stream)
    return JsonOutput(click.echo, stream=settings.stream, each_event=settings.each_event_shown)
