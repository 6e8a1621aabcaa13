"""A run from its settings: reads, connects, sends, shows. The composition root of `produce`."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic

import click

from producer import generator, jsonlines, pacing
from producer.connect import connect
from producer.control import Pace, serve
from producer.errors import CannotStartError, SendingError
from producer.event import Event
from producer.feed import feed
from producer.heartbeat import Heartbeat
from producer.jsonoutput import JsonOutput
from producer.outbox import BATCH, ONE_BY_ONE
from producer.report import Report
from producer.retry import Retry
from producer.sender import Accepted, Sender
from producer.settings import Settings
from producer.shown import shown
from producer.stop import StopRequest
from producer.textoutput import PlainConsole, TextOutput


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
            report = Report(output, each_event=settings.each_event_shown, clock=monotonic)

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
                limits=BATCH if settings.batch else ONE_BY_ONE,
                retry=Retry(give_up_after=settings.retry_for),
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
                trouble = "stopped at once"
            except SendingError as error:
                trouble = str(error)
            except BrokenPipeError:
                trouble = "stopped because nothing reads the output"
                _discard_output()
            output.summary(report.summary(), unconfirmed=sender.pending)
    if trouble:
        raise SendingError(f"{trouble}; events taken but not confirmed: {sender.pending}")


def _events(settings: Settings) -> Iterator[Event]:
    """Generated events without end, or those of the file, all checked before the first is sent."""
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
        return pacing.in_batches(rate) if batch else pacing.steady(rate)
    return pacing.unpaced() if batch else pacing.natural(random.random)


def _paused(pace: Pace, beat: Callable[[], None]) -> bool:
    """A producer that waits because it was told to is well."""
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
        raise CannotStartError(f"--control {address}: {error.strerror or error}") from error
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
        click.echo(f"Warning: no heartbeat, and still sending: {path}: {error.strerror}", err=True)

    try:
        return Heartbeat(settings.heartbeat, gap, on_trouble).beat
    except OSError as error:
        raise CannotStartError(f"no heartbeat can be written: {path}: {error.strerror}") from error


def _discard_output() -> None:
    """What is still written, now or by Python at its end, goes nowhere in place of failing again
    (https://docs.python.org/3/library/signal.html#note-on-sigpipe)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _output(settings: Settings) -> TextOutput | JsonOutput:
    if settings.output == "text" or (settings.output == "auto" and sys.stdout.isatty()):
        return TextOutput(PlainConsole(highlight=False), stream=settings.stream)
    return JsonOutput(click.echo, stream=settings.stream, each_event=settings.each_event_shown)
