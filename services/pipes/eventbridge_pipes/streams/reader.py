"""Reads one shard, page after page, into the buffer of its worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from eventbridge_pipes.delivery.retry import growing_pause
from eventbridge_pipes.logs import PipeLog
from eventbridge_pipes.sources.stream import (
    ExpiredIteratorError,
    Page,
    PositionLostError,
    ShardReads,
    SourceError,
    SourceNotFoundError,
    ThrottledError,
)
from eventbridge_pipes.streams import polling
from eventbridge_pipes.streams.buffer import RecordBuffer
from eventbridge_pipes.streams.positions import Position


class ShardReader:
    """Reads until the shard ends or it is told to stop; whatever fails is tried again.

    `in_doubt` is called when the stream may not be the one it was, for somebody to look.
    """

    def __init__(
        self,
        shard: ShardReads,
        shard_id: str,
        start: Position,
        buffer: RecordBuffer,
        stop: threading.Event,
        in_doubt: Callable[[], None],
        log: PipeLog,
    ) -> None:
        self._shard = shard
        self._shard_id = shard_id
        self._position = start
        self._buffer = buffer
        self._stop = stop
        self._in_doubt = in_doubt
        self._log = log
        self._iterator: str | None = None
        self._limit = polling.FIRST_PAGE_RECORDS
        self._floor = 0.0
        self._failures = 0
        self._told = False
        self._last_record = time.monotonic()

    def run(self) -> bool:
        """Whether the shard is closed and read to its end; false when told to stop before.

        Raises PositionLostError when the stream does not know where to go on.
        """
        while not self._stop.is_set():
            try:
                page = self._read()
            except PositionLostError:
                raise
            except ThrottledError:
                if not self._floor:
                    self._log.info("shard %s is throttled: reading slower", self._shard_id)
                self._floor = polling.floor_when_throttled(self._floor)
                self._stop.wait(self._floor)
            except SourceError as error:
                self._stop.wait(self._after_failure(error))
            else:
                self._after_success()
                if page.records:
                    self._take_in(page)
                if page.next_iterator is None:
                    return True
                self._iterator = page.next_iterator
                self._stop.wait(self._pause_after(page))
        return False

    def _read(self) -> Page:
        if self._iterator is None:
            self._iterator = self._shard.iterator(self._position)
        return self._shard.page(self._iterator, self._limit)

    def _take_in(self, page: Page) -> None:
        self._limit = polling.page_limit(
            len(page.records), sum(len(record.body) for record in page.records)
        )
        start = self._position.at
        # The SDK asks for a time in whole seconds: what came earlier within that second is not
        # the pipe's. Records come in order of arrival, give or take, so each one is looked at.
        due = page.records
        if start is not None:
            due = [record for record in due if record.arrived >= start]
        if due:
            self._buffer.put(due)
            self._position = Position(after=due[-1].sequence_number)
        self._last_record = time.monotonic()

    def _pause_after(self, page: Page) -> float:
        idle = time.monotonic() - self._last_record
        return polling.pause(idle, page.behind and bool(page.records), self._floor)

    def _after_failure(self, error: SourceError) -> float:
        self._iterator = None
        self._failures += 1
        expired = isinstance(error, ExpiredIteratorError)
        if not self._told and not (expired and self._failures == 1):
            self._told = True
            self._log.warning("cannot read shard %s, trying on: %s", self._shard_id, error)
        if expired or isinstance(error, SourceNotFoundError):
            self._in_doubt()
        return growing_pause(self._failures)

    def _after_success(self) -> None:
        if self._told:
            self._told = False
            self._log.info("reading shard %s again", self._shard_id)
        self._failures = 0
        self._floor = polling.floor_when_served(self._floor)
