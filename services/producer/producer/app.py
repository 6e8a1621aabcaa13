"""Runs `produce`: connects, sends the events and shows them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from itertools import islice
from math import inf
from time import monotonic

from inventory_aws.outbox import Event
from inventory_aws.sender import Accepted, Sender, SendingError
from inventory_aws.shown import shown
from producer import generator, jsonlines
from producer.connect import connect
from producer.control import serve
from producer.feed import feed
from producer.heartbeat import Heartbeat
from producer.pace import NATURAL_GAP, Pace
from producer.report import Report
from producer.settings import Settings
from producer.stop import StopRequest
from producer.usage import RefusedError, discard_output


def run(settings: Settings) -> None:
    """Send the events that `settings` ask for, until they are sent or a signal asks to stop.

    Raises RefusedError before anything is sent, and SendingError, which says how many events
    are unconfirmed, when it had to end before the stream had accepted all it had taken.
    """
    events = _events(settings)
    heartbeat = _heartbeat(settings)
    pace = Pace(settings.rate, batch=settings.batch)
    trouble = ""

    def on_accepted(accepted: Accepted) -> None:
        report.accepted(accepted)
        heartbeat.beat()

    def wait(seconds: float) -> None:
        if pace.paused:  # a paused producer is healthy
            heartbeat.beat()
        stop.wait(seconds)

    with (
        StopRequest() as stop,
        serve(pace, *settings.control) if settings.control else nullcontext(),
    ):
        pace.on_change = stop.wake
        client = connect(settings.stream)
        report = Report(settings, pace, monotonic)
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
                pace,
                sender,
                clock=monotonic,
                wait=wait,
                duration=settings.duration or inf,
                stopping=lambda: stop.made,
                on_flush=lambda: (
                    report.show("stopping", pending=sender.pending) if stop.made else None
                ),
            )
        except KeyboardInterrupt:
            trouble = "Stopped at once"
        except SendingError as error:
            trouble = str(error).rstrip(".")
        except BrokenPipeError:
            if not sender.pending:
                raise
            discard_output()
            trouble = "Stopped because nothing reads the output"
        report.end(sender.pending)
        while settings.stay and not trouble and not stop.made:
            heartbeat.beat()
            stop.wait(1.0)
    if trouble:
        raise SendingError(f"{trouble}. Events not confirmed: {sender.pending}")


def _events(settings: Settings) -> Iterable[Event]:
    """Return generated events, or those of the file, all checked before the first is sent."""
    if file := settings.from_file:
        name = getattr(file, "name", "stdin")
        return list(jsonlines.events(name, file, send_broken=settings.send_broken))
    return generator.events(settings.spec)


def _heartbeat(settings: Settings) -> Heartbeat:
    gap = 1 / settings.rate if settings.rate else max(NATURAL_GAP)
    try:
        return Heartbeat(settings.heartbeat, gap)
    except OSError as error:
        path = shown(str(settings.heartbeat))
        raise RefusedError(f"Cannot write the heartbeat: {path}: {error.strerror}") from error
