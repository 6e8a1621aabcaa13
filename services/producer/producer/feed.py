"""The loop of a run: take each event when it is due, send it, and flush at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

from inventory_aws.outbox import Event
from inventory_aws.sender import Sender
from producer.pace import Pace

CATCH_UP_SECONDS = 1.0
"""After a slow response, make up for at most the events of this time."""

PAUSE_CHECK_SECONDS = 1.0


def feed(
    events: Iterable[Event],
    pace: Pace,
    sender: Sender,
    *,
    clock: Callable[[], float],
    wait: Callable[[float], object],
    duration: float = inf,
    stopping: Callable[[], bool] = lambda: False,
    on_flush: Callable[[], object] = lambda: None,
) -> None:
    """Take events at `pace` until there are no more, `duration` seconds are over or `stopping()`;
    then send those that are taken.

    The first event is due at once. `wait` may return early. `on_flush` is called when no more
    events are taken. Raises SendingError as the sender does.
    """
    due = last_due = clock()
    end = due + duration
    changes = pace.changes

    def over() -> bool:
        return stopping() or clock() >= end

    for event in events:
        while not over() and (clock() < due or not sender.has_room or pace.paused):
            if sender.pending:
                sender.call()
            else:
                until = clock() + PAUSE_CHECK_SECONDS if pace.paused else due
                wait(max(0.0, min(until, end) - clock()))
            if pace.changes != changes:
                changes = pace.changes
                due = max(last_due + pace.gap(), clock())
        if over():
            break
        sender.take(event)
        # Counted from the due time, so that the rate holds although sending takes time.
        last_due, due = due, max(due + pace.gap(), clock() - CATCH_UP_SECONDS)
    on_flush()
    sender.flush()
