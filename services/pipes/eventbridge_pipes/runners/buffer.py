"""The records between a shard's reader and its worker: read ahead, but not far."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from eventbridge_pipes.execution.batch import BatchRules, cut
from eventbridge_pipes.record import Record


class RecordBuffer:
    """One thread puts pages in, another takes batches out.

    There is room for a page while less than one batch is waiting, so that the next batch is at
    hand when the target is done with one, and no more than a batch and a page are held.
    """

    def __init__(self, rules: BatchRules, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._waiting: deque[tuple[float, Record]] = deque()
        self._bytes = 0
        self._ending = False
        self._stopped = False

    def wait_for_room(self) -> None:
        """Return once there is room for a page, or the buffer was stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._has_room())

    def put(self, records: Sequence[Record]) -> None:
        """Let `records` in, whether there is room or not."""
        with self._changed:
            received = self._monotonic()
            for record in records:
                self._waiting.append((received, record))
                self._bytes += record.size
            self._changed.notify_all()

    def end(self) -> None:
        """No more records will come; what is waiting still leaves."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Wake both sides for good; what is waiting stays behind."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def take(self) -> list[Record]:
        """The next batch, when it is due; empty when there will be none."""
        with self._changed:
            while not self._stopped:
                waited = self._monotonic() - self._waiting[0][0] if self._waiting else 0.0
                sizes = (record.size for _, record in self._waiting)
                due = cut(sizes, waited, self._ending, self._rules)
                if due.count or (self._ending and not self._waiting):
                    batch = [self._waiting.popleft()[1] for _ in range(due.count)]
                    self._bytes -= sum(record.size for record in batch)
                    self._changed.notify_all()
                    return batch
                self._changed.wait(due.wait)
            return []

    def _has_room(self) -> bool:
        return len(self._waiting) < self._rules.size and self._bytes < self._rules.payload
