"""The records of one shard that are read and not finished: in lanes, and as its checkpoint."""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from eventbridge_pipes.execution.batch import BatchRules, cut
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.record import Record
from eventbridge_pipes.store import StateError

READ_AHEAD_BYTES = 10 * 1024 * 1024
"""What a shard may have read ahead, for its other lanes, while one lane is blocked."""

STORE_SECONDS = 0.01
"""How often a checkpoint is stored while batches follow one another at once. A commit takes a good
part of the time of a small batch."""


def lane_of(partition_key: str, lanes: int) -> int:
    """The lane of a partition key, counted from 0: always the same for a number of lanes."""
    return zlib.crc32(partition_key.encode()) % lanes


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
        # Of each lane, the records that wait, each with the time when it was put in; their bytes.
        self._lanes: list[deque[tuple[float, Record]]] = [deque() for _ in range(lanes)]
        self._bytes = [0] * lanes
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
                number = lane_of(record.partition_key, len(self._lanes))
                self._lanes[number].append((received, record))
                self._bytes[number] += record.size
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

    def take(
        self, number: int, before_waiting: Callable[[], object] = lambda: None
    ) -> list[Record]:
        """Wait for the next batch of lane `number`; empty when there will be none."""
        lane = self._lanes[number]
        with self._changed:
            while not self._stopped:
                waited = self._monotonic() - lane[0][0] if lane else 0.0
                sizes = (record.size for _, record in lane)
                due = cut(sizes, waited, self._ending, self._rules)
                if due.count or (self._ending and not lane):
                    batch = [lane.popleft()[1] for _ in range(due.count)]
                    self._bytes[number] -= sum(record.size for record in batch)
                    # To wake the reader for each batch would take as long as to send the batch.
                    if self._has_room():
                        self._changed.notify_all()
                    return batch
                before_waiting()
                self._changed.wait(due.wait)
            return []

    def _has_room(self) -> bool:
        rules = self._rules
        short = [
            len(lane) < rules.size and waiting < rules.payload
            for lane, waiting in zip(self._lanes, self._bytes, strict=True)
        ]
        return all(short) or (any(short) and sum(self._bytes) < READ_AHEAD_BYTES)


class Progress:
    """How far the records of one shard are finished. Its reader and its lanes share it.

    Lanes finish in any order, and filtered records are never delivered. Reading has to continue
    after the last record that has nothing outstanding before it: the checkpoint, which only
    advances. `store` stores its sequence number, and raises StateError.

    `done` leaves out what ends within STORE_SECONDS of the last store: whoever calls it calls
    `save` before it waits. While the store cannot be written, on a full disk for example, delivery
    continues; the stored checkpoint follows at the next batch or the next `save`. If the service
    ends before, records since the stored checkpoint are delivered again.
    """

    def __init__(
        self,
        store: Callable[[str], object],
        shard_id: str,
        log: PipeLog,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._shard_id = shard_id
        self._log = log
        self._lock = threading.Lock()
        # By sequence number: the one that was read before it, None for the first, and the arrival.
        # An ordered dictionary finds its oldest entry at once, however many were removed.
        self._outstanding: OrderedDict[str, tuple[str | None, float]] = OrderedDict()
        self._last: str | None = None
        self._monotonic = monotonic
        self._stored: str | None = None
        self._stored_at = -math.inf
        self._lags = False

    def read(self, page: Sequence[Record], kept: Sequence[Record]) -> None:
        """The shard gave `page`, and `kept` of it is to be delivered; both in the shard's order."""
        wanted = None if len(kept) == len(page) else {record.sequence_number for record in kept}
        with self._lock:
            for record in page:
                number = record.sequence_number
                if wanted is None or number in wanted:
                    self._outstanding[number] = (self._last, record.arrived)
                self._last = number
            if not kept:
                self._save()

    def done(self, records: Sequence[Record]) -> None:
        """Each of `records` was delivered or given up on."""
        with self._lock:
            for record in records:
                self._outstanding.pop(record.sequence_number, None)
            if self._monotonic() - self._stored_at >= STORE_SECONDS:
                self._save()

    def save(self) -> None:
        """Store the checkpoint if it is not stored yet."""
        with self._lock:
            self._save()

    @property
    def checkpoint(self) -> str | None:
        """The sequence number up to which everything is finished; None when nothing is."""
        oldest = next(iter(self._outstanding.values()), None)
        return oldest[0] if oldest else self._last

    @property
    def oldest_arrival(self) -> float | None:
        """When the oldest outstanding record arrived (epoch seconds)."""
        with self._lock:
            oldest = next(iter(self._outstanding.values()), None)
            return oldest[1] if oldest else None

    def _save(self) -> None:
        reached = self.checkpoint
        if reached is None or reached == self._stored:
            return
        try:
            self._store(reached)
        except StateError as error:
            if not self._lags:
                self._lags = True
                self._log.error(
                    "cannot store checkpoints of shard %s (%s): delivery continues, and records "
                    "may be delivered twice after a restart; free space for the state directory",
                    self._shard_id,
                    error,
                )
            return
        self._stored, self._stored_at = reached, self._monotonic()
        if self._lags:
            self._lags = False
            self._log.info("storing checkpoints of shard %s again", self._shard_id)
