"""Reads one shard, page after page, into its lanes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.position import Position
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners import polling
from eventbridge_pipes.runners.idle import Nap, Sleepers
from eventbridge_pipes.runners.pages import PageLimit
from eventbridge_pipes.sources.source import (
    ExpiredIteratorError,
    Page,
    PositionLostError,
    ShardReads,
    SourceError,
    SourceNotFoundError,
    ThrottledError,
)


class Inlet(Protocol):
    """Where pages go (see `streams.intake`)."""

    def wait_for_room(self) -> None: ...

    def put(self, page: Sequence[Record]) -> None: ...


class ShardReader:
    """Reads until the shard ends or it is told to stop; whatever fails is tried again.

    `in_doubt` is called when the stream may not be the one it was, for somebody to look.
    """

    def __init__(
        self,
        shard: ShardReads,
        shard_id: str,
        start: Position,
        intake: Inlet,
        stop: threading.Event,
        in_doubt: Callable[[], None],
        log: PipeLog,
        sleepers: Sleepers,
        page_limit: PageLimit,
    ) -> None:
        self._shard = shard
        self._shard_id = shard_id
        self._position = start
        self._intake = intake
        self._stop = stop
        self._in_doubt = in_doubt
        self._log = log
        self._sleepers = sleepers
        self._page_limit = page_limit
        self._iterator: str | None = None
        self._floor = 0.0
        self._failures = 0
        self._told = False
        self._last_record = time.monotonic()
        self._took = 0.0
        self._found: Page | None = None
        self._behind = True
        self._caught_up = time.monotonic()

    @property
    def unread_for(self) -> float:
        """For how many seconds the shard may have had records that were not read."""
        return time.monotonic() - self._caught_up if self._behind or self._failures else 0.0

    def run(self) -> bool:
        """Whether the shard is closed and read to its end; false when told to stop before.

        Raises PositionLostError when the stream does not know where to go on.
        """
        while self._is_to_read():
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
                self._after_success(page)
                if page.records:
                    self._take_in(page)
                if page.next_iterator is None:
                    return True
                self._iterator = page.next_iterator
                self._rest(page, page.next_iterator)
        return False

    def _is_to_read(self) -> bool:
        # To ask for more than there is room for would only keep the server from what it has to do
        # for the records that are under way.
        self._intake.wait_for_room()
        return not self._stop.is_set()

    def _read(self) -> Page:
        if self._found:
            page, self._found = self._found, None
            return page
        if self._iterator is None:
            self._iterator = self._shard.iterator(self._position)
        begun = time.monotonic()
        page = self._shard.page(self._iterator, self._page_limit.records)
        self._took = time.monotonic() - begun
        return page

    def _take_in(self, page: Page) -> None:
        self._page_limit.learn(page.records)
        start = self._position.at
        # The SDK asks for a time in whole seconds: what came earlier within that second is not
        # the pipe's. Records come in order of arrival, give or take, so each one is looked at.
        due = page.records
        if start is not None:
            due = [record for record in due if record.arrived >= start]
        if due:
            self._intake.put(due)
            self._position = Position(after=due[-1].sequence_number)
        self._last_record = time.monotonic()

    def _rest(self, page: Page, iterator: str) -> None:
        """Wait until the next read is due; of a shard that sleeps, until there is a page."""
        idle = time.monotonic() - self._last_record
        if page.records:
            self._stop.wait(polling.pause(idle, page.behind, self._floor))
        elif polling.falls_asleep(idle, page.behind):
            limit = self._page_limit.records
            nap = Nap(self._shard, iterator, limit, self._last_record, self._stop)
            self._found = self._sleepers.sleep(nap)
            self._iterator = nap.iterator
            if nap.troubled:
                self._in_doubt()
        else:
            rest = self._sleepers.rest(self._took)
            self._stop.wait(polling.pause(idle, False, self._floor, rest))

    def _after_failure(self, error: SourceError) -> float:
        self._iterator = None
        self._failures += 1
        expired = isinstance(error, ExpiredIteratorError)
        if not self._told and not (expired and self._failures == 1):
            self._told = True
            self._log.warning("cannot read shard %s, retrying: %s", self._shard_id, error)
        if expired or isinstance(error, SourceNotFoundError):
            self._in_doubt()
        return growing_pause(self._failures)

    def _after_success(self, page: Page) -> None:
        self._behind = page.behind
        if not page.behind:
            self._caught_up = time.monotonic()
        if self._told:
            self._told = False
            self._log.info("reading shard %s again", self._shard_id)
        if self._failures:
            # What comes back after an outage may be another stream of that name: not every
            # emulator's iterators tell.
            self._in_doubt()
        self._failures = 0
        self._floor = polling.floor_when_served(self._floor)
