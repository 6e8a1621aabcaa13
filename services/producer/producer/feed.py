"""The loop of a run: take each event when it is due, send, and flush at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from inventory_aws.outbox import Event
from inventory_aws.sender import Sender
from producer.pacing import next_due

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
    has_new_rate: Callable[[], bool] = lambda: False,
) -> None:
    """Take events until there are no more, `duration` seconds are over or `stopping()`; then send
    what is taken.

    The first event is due at once, each other one of `gaps` later than the one before. `wait` may
    return early. `on_flush` is called when no more are taken. While it is `paused()` none is taken.
    When there `has_new_rate()`, the next of `gaps` replaces the one that is being waited for.
    Raises SendingError as the sender does.
    """
    due = last_due = clock()
    end = due + duration

    def over() -> bool:
        return stopping() or clock() >= end

    for event in events:
        while not over() and (clock() < due or not sender.has_room or paused()):
            if sender.pending:
                sender.call()
            else:
                wait(max(min(due, end) - clock(), LOOK_SECONDS if paused() else 0.0))
            if has_new_rate():
                due = max(last_due + next(gaps), clock())
        if over():
            break
        sender.take(event)
        last_due, due = due, next_due(due, next(gaps), clock())
    on_flush()
    sender.flush()
