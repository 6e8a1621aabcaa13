"""Keeps the position of one shard in the store, as its records are done with."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.progress import Progress
from eventbridge_pipes.store import StateError, Store


class ShardCheckpoint:
    """Shared by the reader and the lanes of a shard; the position in the store only moves on.

    While it cannot be written down, on a full disk, records go on: their target has them, and to
    hold them back would help nobody. The position follows with the first batch that is done with
    when it can; should the service end before, what came after the last one is delivered again.
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
        """The shard gave `page`; the records that are not in `kept` are done with."""
        with self._lock:
            self._progress.read(page, kept)
            if not kept:
                self._save()

    def done(self, records: Sequence[Record]) -> None:
        """Each of `records` was delivered or given up on."""
        with self._lock:
            self._progress.done(records)
            self._save()

    def finish(self) -> None:
        """The shard is closed, and done with to its end."""
        self._store.finish(self._pipe, self._shard_id)

    @property
    def oldest_arrival(self) -> float | None:
        """When the oldest record that is not done with arrived (epoch seconds)."""
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
                    "may come again after a restart; free some space for the state directory",
                    self._shard_id,
                    error,
                )
            return
        self._saved = reached
        if self._lags:
            self._lags = False
            self._log.info("storing checkpoints of shard %s again", self._shard_id)
