"""The events of a shard that wait for their outcome, and the batches that had them. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from dashboard.model.event import TrackedEvent

MOST_WAITING = 20_000
MOST_BATCHES = 500


@dataclass(frozen=True, slots=True)
class BatchRange:
    """The sequence numbers of a batch. The pipe retries those that `failed`."""

    first: int
    last: int
    done_at: float
    failed: frozenset[int] = frozenset()

    def has(self, number: int) -> bool:
        return self.first <= number <= self.last and number not in self.failed


class Shard:
    """`waiting` has events by sequence number, in stream order."""

    def __init__(self) -> None:
        self.waiting: dict[int, TrackedEvent] = {}
        self._read_to = -1
        self._done_to = -1
        # A batch may be reported before its records are read.
        self._batches: deque[BatchRange] = deque(maxlen=MOST_BATCHES)

    def arrive(self, tracked: TrackedEvent) -> bool:
        """Return whether the event is new: a reader that starts again repeats events."""
        number = tracked.place[1]
        if number <= self._read_to:
            return False
        self._read_to = number
        self.waiting[number] = tracked
        if len(self.waiting) > MOST_WAITING:
            del self.waiting[next(iter(self.waiting))]
        return True

    def cover(self, batch: BatchRange) -> None:
        self._batches.appendleft(batch)
        self._done_to = max(self._done_to, batch.last)

    def take_done(self) -> Iterator[TrackedEvent]:
        """Take the events that the function has handled, with their times."""
        for number in self._waiting_before(self._done_to + 1):
            batch = next((batch for batch in self._batches if batch.has(number)), None)
            if batch is not None:
                self.waiting[number].done_at = batch.done_at
                yield self.waiting.pop(number)

    def take_given_up(self, before: float) -> Iterator[TrackedEvent]:
        """Take the events before a batch that was done earlier than `before`: the pipe delivers it
        only once it has delivered or given up everything before it."""
        starts = [batch.first for batch in self._batches if batch.done_at < before]
        for number in self._waiting_before(max(starts, default=0)):
            yield self.waiting.pop(number)

    def _waiting_before(self, end: int) -> list[int]:
        return list(takewhile(lambda number: number < end, self.waiting))
