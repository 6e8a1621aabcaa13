"""The loop of a run: take each event when it is due, send, and flush at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from producer.event import Event
from producer.pacing import next_due
from producer.sender import Sender

LOOK_SECONDS = 0.1
"""How often a pause is looked at."""


def feed(
    events: Iterable[Event],
    gaps: Iterator[float],
    sender: Sender,
    *,
    duration: float,
    stopping: Callable[[], bool],
    on_flush: Callable[[], object],
    clock: Callable[[], float],
    wait: Callable[[float], object],
    paused: Callable[[], bool] = lambda: False,
) -> None:
    """Take events until there are no more, `duration` seconds are over or `stopping()`; then send
    what is taken.

    The first event is due at once, each other one of `gaps` later than the one before. `wait` may
    return early. `on_flush` is called when no more are taken. While it is `paused()` none is taken.
    Raises SendingError as the sender does.
    """
    due = clock()
    end = due + duration

    def over() -> bool:
        return stopping() or clock() >= end

    for event, gap in zip(events, gaps, strict=False):
        while not over() and (clock() < due or not sender.has_room or paused()):
            if sender.pending:
                sender.call()
            else:
                wait(max(min(due, end) - clock(), LOOK_SECONDS if paused() else 0.0))
        if over():
            break
        sender.take(event)
        due = next_due(due, gap, clock())
    on_flush()
    sender.flush()
