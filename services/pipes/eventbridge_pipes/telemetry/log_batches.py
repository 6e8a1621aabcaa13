"""Log records on their way to CloudWatch Logs: a bounded wait, and calls within its limits.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from eventbridge_pipes.telemetry.log_records import EVENT_OVERHEAD

MAX_EVENTS = 10_000
MAX_BYTES = 1_048_576
MAX_SPAN = 24 * 60 * 60 * 1000

BUFFER_BYTES = 4 * MAX_BYTES
"""Records that may wait; those beyond are dropped, for the delivery waits for none."""


class LogEvent(NamedTuple):
    """`timestamp` is in milliseconds since the epoch, `message` in ASCII."""

    timestamp: int
    message: str

    @property
    def size(self) -> int:
        return len(self.message) + EVENT_OVERHEAD


def batch_length(events: Iterable[LogEvent]) -> int:
    """How many of the first `events` fit into one call."""
    count = size = 0
    oldest = newest = None
    for event in events:
        oldest = event.timestamp if oldest is None else min(oldest, event.timestamp)
        newest = event.timestamp if newest is None else max(newest, event.timestamp)
        size += event.size
        if count == MAX_EVENTS or size > MAX_BYTES or newest - oldest >= MAX_SPAN:
            break
        count += 1
    return count


class EventBuffer:
    """Holds what is not written yet, between the threads that log and the one that writes."""

    def __init__(self) -> None:
        self._waiting: deque[LogEvent] = deque()
        self._size = 0
        self._dropped = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, event: LogEvent) -> bool:
        """Take it in, or drop it; false for the first one that is dropped."""
        with self._changed:
            if self._closed or self._size + event.size > BUFFER_BYTES:
                self._dropped += 1
                return self._dropped > 1
            self._waiting.append(event)
            self._size += event.size
            if len(self._waiting) == 1 or self._size >= MAX_BYTES:
                self._changed.notify_all()
            return True

    def batch(self, linger: float) -> list[LogEvent]:
        """What goes into the next call; waits for it. Nothing when it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._changed.wait_for(lambda: self._size >= MAX_BYTES or self._closed, linger)
            return list(islice(self._waiting, batch_length(self._waiting)))

    def written(self, batch: list[LogEvent]) -> None:
        """`batch`, the last one given out, need not be kept any longer."""
        with self._changed:
            for event in batch:
                self._waiting.popleft()
                self._size -= event.size

    def discard(self, batch: list[LogEvent]) -> None:
        """`batch`, the last one given out, cannot be written."""
        self.written(batch)
        with self._changed:
            self._dropped += len(batch)

    def dropped(self) -> int:
        """How many were dropped; they are counted anew from here, once nothing waits."""
        with self._changed:
            if self._waiting:
                return 0
            dropped, self._dropped = self._dropped, 0
            return dropped

    def close(self) -> None:
        """Take nothing in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def rest(self, seconds: float) -> bool:
        """Wait so long; true as soon as it is closed."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, seconds)
