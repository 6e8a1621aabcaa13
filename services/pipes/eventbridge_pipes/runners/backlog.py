"""The records of one shard that are read and not yet at the target, in lanes."""

from __future__ import annotations

import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Sequence

from eventbridge_pipes.execution.batch import BatchRules, cut
from eventbridge_pipes.record import Record

READ_AHEAD_BYTES = 10 * 1024 * 1024
"""What a shard may have read ahead, for its other lanes, while one lane is blocked."""


def lane_of(partition_key: str, lanes: int) -> int:
    """The lane of a partition key, counted from 0: always the same for a number of lanes."""
    return zlib.crc32(partition_key.encode()) % lanes


class _Lane:
    """The records that wait for one lane, each with the time when it was put in."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[float, Record]] = deque()
        self.bytes = 0


class Backlog:
    """The reader of a shard puts pages in; each lane's thread takes its batches out.

    Records that share a partition key share a lane, in their order. There is room for a page
    while any lane has less than one batch waiting, so that a blocked lane does not starve the
    others. Once a lane has a whole batch waiting, all of them together hold less than
    READ_AHEAD_BYTES and one page.
    """

    def __init__(
        self, rules: BatchRules, lanes: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rules = rules
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._lanes = [_Lane() for _ in range(lanes)]
        self._ending = False
        self._stopped = False

    def wait_for_room(self) -> None:
        """Return once there is room for a page, or the backlog was stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._has_room())

    def put(self, records: Sequence[Record]) -> None:
        """Add `records` to their lanes, whether there is room or not."""
        with self._changed:
            received = self._monotonic()
            for record in records:
                lane = self._lanes[lane_of(record.partition_key, len(self._lanes))]
                lane.waiting.append((received, record))
                lane.bytes += record.size
            self._changed.notify_all()

    def end(self) -> None:
        """No more records will come; what is waiting is still delivered."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Wake all threads for good; what is waiting stays behind."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def take(self, number: int) -> list[Record]:
        """Wait for the next batch of lane `number`; empty when there will be none."""
        lane = self._lanes[number]
        with self._changed:
            while not self._stopped:
                waited = self._monotonic() - lane.waiting[0][0] if lane.waiting else 0.0
                sizes = (record.size for _, record in lane.waiting)
                due = cut(sizes, waited, self._ending, self._rules)
                if due.count or (self._ending and not lane.waiting):
                    batch = [lane.waiting.popleft()[1] for _ in range(due.count)]
                    lane.bytes -= sum(record.size for record in batch)
                    # To wake the reader for each batch would take as long as to send the batch.
                    if self._has_room():
                        self._changed.notify_all()
                    return batch
                self._changed.wait(due.wait)
            return []

    def _has_room(self) -> bool:
        short = [self._has_less_than_a_batch(lane) for lane in self._lanes]
        ahead = sum(lane.bytes for lane in self._lanes)
        return all(short) or (any(short) and ahead < READ_AHEAD_BYTES)

    def _has_less_than_a_batch(self, lane: _Lane) -> bool:
        return len(lane.waiting) < self._rules.size and lane.bytes < self._rules.payload
