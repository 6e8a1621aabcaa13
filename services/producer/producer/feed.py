"""The loop of a run: take each event when it is due, send, and flush at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from producer.event import Event
from producer.pacing import next_due
from producer.sender import Sender


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
) -> None:
    """Take events until there are no more, `duration` seconds are over or `stopping()`; then send
    what is taken.

    The first event is due at once, each other one of `gaps` later than the one before. `wait` may
    return early. `on_flush` is called when no more are taken. Raises SendingError as the sender
    does.
    """
    due = clock()
    end = due + duration

    def over() -> bool:
        return stopping() or clock() >= end

    for event, gap in zip(events, gaps, strict=False):
        while not over() and (clock() < due or not sender.has_room):
            if sender.pending:
                sender.call()
            else:
                wait(min(due, end) - clock())
        if over():
            break
        sender.take(event)
        due = next_due(due, gap, clock())
    on_flush()
    sender.flush()
