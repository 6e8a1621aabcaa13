"""The messages of a queue that a pipe holds, and the decisions about them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.execution.batch import BatchRules, cut
from eventbridge_pipes.outcome import Outcome
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources.sqs import CALL_LIMIT

FIRST_BATCHES = 5
MORE_BATCHES_A_SECOND = 1.0
MOST_BATCHES = 64
"""AWS goes up to 1,000; each takes a thread here, and up to 6 MB."""

CHECK_SECONDS = 1.0
"""How often to check whether the limit of batches under way has grown."""


@dataclass(eq=False)
class Inbox:
    """The messages that wait for their batch, and the batches that are under way.

    One thread puts in what it receives, another takes batches out, and many report their end. Of
    a FIFO queue (`ordered`) no message leaves while a batch with one of its group is under way.

    The inbox is bounded. At most 64 batches are under way, each of at most BatchSize messages and
    6 MB. While none may begin, nothing is received; so at most about one batch waits, and the ten
    messages of one receive.
    """

    rules: BatchRules
    ordered: bool
    monotonic: Callable[[], float] = time.monotonic
    ended: int = field(default=0, init=False)
    """How many batches have ended."""
    _changed: threading.Condition = field(default_factory=threading.Condition, init=False)
    _waiting: list[tuple[float, Record]] = field(default_factory=list, init=False)
    """The messages, each with the time when it was put in."""
    _bytes: int = field(default=0, init=False)
    _under_way: list[list[Record]] = field(default_factory=list, init=False)
    _busy_since: float | None = field(default=None, init=False)
    _service_errors: int = field(default=0, init=False)
    _held_until: float = field(default=0.0, init=False)
    _stopped: bool = field(default=False, init=False)
    _closed: bool = field(default=False, init=False)

    def wanted(self) -> int:
        """Wait until there is room; return how many messages to receive, 0 if the pipe stops."""
        with self._changed:
            while not self._stopped:
                held = self._held_until - self.monotonic()
                free = self._free_batches()
                count = to_receive(len(self._waiting), free, self.rules.size, self.ordered)
                if count and held <= 0:
                    return count
                self._changed.wait(held if held > 0 else CHECK_SECONDS)
            return 0

    def put(self, records: Sequence[Record]) -> None:
        """Add the messages of one receive, even if there are none."""
        with self._changed:
            now = self.monotonic()
            if not records:
                self._busy_since = None
            elif self._busy_since is None:
                self._busy_since = now
            # A batch that waits for its window is not looked at each time that it grows.
            growing = bool(self._waiting) and self.rules.window > 0 and not self.ordered
            self._waiting += [(now, record) for record in records]
            self._bytes += sum(record.size for record in records)
            full = len(self._waiting) >= self.rules.size or self._bytes >= self.rules.payload
            if full or not growing:
                self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """Let nothing be received for so long."""
        with self._changed:
            self._held_until = max(self._held_until, self.monotonic() + seconds)

    def take(self) -> list[Record]:
        """Wait for the next batch; empty when the inbox is closed and all its messages left."""
        with self._changed:
            while True:
                batch, pause = self._due()
                if batch:
                    self._under_way.append(batch)
                    self._changed.notify_all()
                    return batch
                if self._closed and not self._waiting:
                    return []
                self._changed.wait(pause)

    def finished(
        self, batch: list[Record], failed: Sequence[Record] = (), service_error: bool = False
    ) -> None:
        """`batch`, as `take` returned it, is no longer under way.

        Messages that wait behind a failed one of their group stay in the queue with it. After a
        service error, receiving pauses.
        """
        with self._changed:
            self._under_way = [other for other in self._under_way if other is not batch]
            self.ended += 1
            failed_groups = self._groups(failed)
            if failed_groups:
                self._remove([w for w in self._waiting if w[1].partition_key in failed_groups])
            self._service_errors = self._service_errors + 1 if service_error else 0
            if service_error:
                self._busy_since = None
                self.hold(growing_pause(self._service_errors))
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nothing more be received."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """The last receive has returned: what is waiting need not wait for more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def holds_any(self) -> bool:
        with self._changed:
            return bool(self._waiting or self._under_way)

    def wait_for_end(self, ended: int, timeout: float) -> None:
        """Wait until more than `ended` batches have ended, or for `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self.ended > ended, timeout)

    def wait_until_finished(self) -> None:
        """Wait until no batch is under way."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way)

    def oldest_arrival(self) -> float | None:
        """When the oldest of all the messages was sent (epoch seconds)."""
        with self._changed:
            waiting = [record for _, record in self._waiting]
            records = chain(waiting, *self._under_way)
            return min((record.arrived for record in records), default=None)

    def _due(self) -> tuple[list[Record], float | None]:
        """The batch that leaves now; else how long to wait, if it is only a matter of time."""
        if self._free_batches() <= 0:
            return [], CHECK_SECONDS
        busy = self._groups(chain.from_iterable(self._under_way))
        ready = self._waiting
        if busy:
            ready = [w for w in self._waiting if w[1].partition_key not in busy]
        waited = self.monotonic() - ready[0][0] if ready else 0.0
        sizes = (record.size for _, record in ready)
        due = cut(sizes, waited, self._closed, self.rules)
        leaving = ready[: due.count]
        self._remove(leaving)
        return [record for _, record in leaving], due.wait

    def _free_batches(self) -> int:
        busy = self.monotonic() - self._busy_since if self._busy_since is not None else 0.0
        return batches_at_once(busy) - len(self._under_way)

    def _groups(self, records: Iterable[Record]) -> set[str]:
        """The groups whose order has to be kept: those of a standard queue have none."""
        return {record.partition_key for record in records} if self.ordered else set()

    def _remove(self, leaving: Sequence[tuple[float, Record]]) -> None:
        gone = set(map(id, leaving))
        self._waiting = [waiting for waiting in self._waiting if id(waiting) not in gone]
        self._bytes -= sum(record.size for _, record in leaving)


def batches_at_once(busy: float) -> int:
    """How many batches may be under way; `busy` is how long, in seconds, the queue has had more.

    Five, then one more a second, as on AWS.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
    """
    return min(MOST_BATCHES, FIRST_BATCHES + int(busy * MORE_BATCHES_A_SECOND))


def to_receive(waiting: int, free_batches: int, size: int, ordered: bool) -> int:
    """How many messages to ask for; 0 when what is waiting fills the batches that may begin.

    A message is hidden from the moment it is received, so no more is asked for than can leave. Of
    a FIFO queue that is one batch: messages of one group leave one batch after the other.
    """
    batches = min(free_batches, 1) if ordered else free_batches
    return max(0, min(CALL_LIMIT, batches * size - waiting))


def settled(
    batch: Sequence[Record], outcome: Outcome, ordered: bool
) -> tuple[list[Record], list[Record]]:
    """The messages of `batch` to delete, and those that failed and stay in the queue.

    In a FIFO queue the later messages of a failed one's group count as failed too. The target may
    have taken them, but if they were deleted, the failed message would come after them.
    """
    done, failed = [], []
    failed_groups = set()
    for position, record in enumerate(batch):
        if position in outcome.failed or (ordered and record.partition_key in failed_groups):
            failed.append(record)
            failed_groups.add(record.partition_key)
        else:
            done.append(record)
    return done, failed
