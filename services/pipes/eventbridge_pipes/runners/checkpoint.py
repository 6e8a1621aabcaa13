"""How far the records of one shard are finished, and its checkpoint in the store."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.record import Record
from eventbridge_pipes.store import StateError, Store


class _Outstanding(NamedTuple):
    """`before` is the sequence number that was read before the record, None for the first."""

    before: str | None
    arrived: float


class Progress:
    """The records that were read and are not finished.

    Lanes finish in any order, and filtered records are never delivered. Reading has to continue
    after the last record that has nothing outstanding before it.
    """

    def __init__(self) -> None:
        # An ordered dictionary finds its oldest entry at once, however many were removed.
        self._outstanding: OrderedDict[str, _Outstanding] = OrderedDict()
        self._last: str | None = None

    def read(self, page: Sequence[Record], kept: Sequence[Record]) -> None:
        """The shard gave `page`, and `kept` of it is to be delivered; both in the shard's order."""
        wanted = None if len(kept) == len(page) else {record.sequence_number for record in kept}
        for record in page:
            number = record.sequence_number
            if wanted is None or number in wanted:
                self._outstanding[number] = _Outstanding(self._last, record.arrived)
            self._last = number

    def done(self, records: Sequence[Record]) -> None:
        """Each of `records` was delivered or given up on."""
        for record in records:
            self._outstanding.pop(record.sequence_number, None)

    @property
    def checkpoint(self) -> str | None:
        """The sequence number up to which everything is finished; None when nothing is."""
        for oldest in self._outstanding.values():
            return oldest.before
        return self._last

    @property
    def oldest_arrival(self) -> float | None:
        """When the oldest outstanding record arrived (epoch seconds)."""
        for oldest in self._outstanding.values():
            return oldest.arrived
        return None


class ShardCheckpoint:
    """The checkpoint of one shard, shared by its reader and its lanes. It only advances.

    While the store cannot be written, on a full disk for example, delivery continues. The
    checkpoint follows at the next batch or the next `save`. If the service ends before, records
    since the last stored checkpoint are delivered again.
    """

    def __init__(self, store: Store, pipe: str, shard_id: str, log: PipeLog) -> None:
        self._store = store
        self._pipe = pipe
        self._shard_id = shard_id
        self._lock = threading.Lock()
        self._progress = Progress()
        self._saved: str | None = None
        self._log = log
        self._lags = False

    def read(self, page: Sequence[Record], kept: Sequence[Record]) -> None:
        """The shard gave `page`; the records that are not in `kept` are finished."""
        with self._lock:
            self._progress.read(page, kept)
            if not kept:
                self._save()

    def done(self, records: Sequence[Record]) -> None:
        """Each of `records` was delivered or given up on."""
        with self._lock:
            self._progress.done(records)
            self._save()

    def save(self) -> None:
        """Store what could not be stored before."""
        with self._lock:
            if self._lags:
                self._save()

    @property
    def oldest_arrival(self) -> float | None:
        """When the oldest record that is not finished arrived (epoch seconds)."""
        with self._lock:
            return self._progress.oldest_arrival

    def _save(self) -> None:
        reached = self._progress.checkpoint
        if reached is None or reached == self._saved:
            return
        try:
            self._store.advance(self._pipe, self._shard_id, reached)
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
        self._saved = reached
        if self._lags:
            self._lags = False
            self._log.info("storing checkpoints of shard %s again", self._shard_id)
