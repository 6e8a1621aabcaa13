"""Reads one shard, and delivers its records lane by lane."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.execution.batch import batch_rules
from eventbridge_pipes.execution.delivery import Delivery, Wait
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Position, Record
from eventbridge_pipes.runners.backlog import Backlog
from eventbridge_pipes.runners.checkpoint import ShardCheckpoint
from eventbridge_pipes.runners.idle import BUSY_SECONDS, SHORTEST_PAUSE, IdlePoller, IdleShard
from eventbridge_pipes.sources.source import (
    ExpiredIteratorError,
    Page,
    PageTooLargeError,
    PositionLostError,
    SourceError,
    SourceNotFoundError,
    Stream,
    ThrottledError,
)
from eventbridge_pipes.store import Store
from eventbridge_pipes.telemetry.metrics import PipeTelemetry

PAGE_BYTES = 4 * 1024 * 1024
PAGE_RECORDS = 10_000
FIRST_PAGE_RECORDS = 10

THROTTLED_PAUSE = 0.24
"""Kinesis allows five reads a second and shard; polls may come a little early (see `idle`)."""
LONGEST_THROTTLED_PAUSE = 5.0


class StartError(Exception):
    """The threads of a shard cannot be started now."""


class End(StrEnum):
    """How the work on a shard ended, as the log says it."""

    FINISHED = "closed and read to its end"
    GONE = "no longer in the stream; everything read from it is processed"
    STOPPED = "stopped"
    # The stream does not know the position: the runner of the stream finds another.
    POSITION_LOST = (
        "the stream does not have the checkpoint: reading from the pipe's starting position"
    )
    CRASHED = "failed; starting over from the last checkpoint"


class PageLimit:
    """How many records to request, so that memory stays bounded. All shards of a stream share it.

    A request limits the number of records, not of bytes. The size of the last records tells how
    many of the next ones fit into PAGE_BYTES. The limit grows in steps, as those may be larger.
    """

    def __init__(self) -> None:
        self.records = FIRST_PAGE_RECORDS

    def learn(self, page: Sequence[Record]) -> None:
        mean = max(1, sum(record.size for record in page) // len(page))
        self.records = max(1, min(PAGE_RECORDS, PAGE_BYTES // mean, 10 * self.records))


@dataclass(frozen=True)
class Shared:
    """What the shards of a running pipe share. `delivery` makes the delivery of a lane, from the
    id of its shard and a wait that a stop of the pipe ends."""

    pipe: Pipe
    stream: Stream
    store: Store
    poller: IdlePoller
    delivery: Callable[[str, Wait], Delivery]
    filter: Filter
    telemetry: PipeTelemetry
    page_limit: PageLimit = field(default_factory=PageLimit)


class ShardReader:
    """Reads a shard page by page, and tries again when a read fails.

    It begins with `iterator` if there is one, else at `position`. `doubt` is called when the
    stream may have been deleted and created again.
    """

    def __init__(
        self,
        shared: Shared,
        shard_id: str,
        position: Position,
        iterator: str | None,
        doubt: Callable[[], None],
    ) -> None:
        self._source = shared.stream.shard(shard_id)
        self._limit = shared.page_limit
        self._poller = shared.poller
        self._log = PipeLog(shared.pipe.name)
        self._shard_id = shard_id
        self._position = position
        self._iterator = iterator
        self._doubt = doubt
        self._stopping = threading.Event()
        self._idle: IdleShard | None = None
        # None: the shard is idle.
        self._pause: float | None = 0.0
        self._least_pause = 0.0
        self._not_before: float | None = None
        self._failures = 0
        self._reported = False
        self._last_record = self._caught_up = time.monotonic()
        self._gap = BUSY_SECONDS
        self._behind = True

    @property
    def stopped(self) -> bool:
        return self._stopping.is_set()

    @property
    def unread_for(self) -> float:
        """For how many seconds the shard may have had records that were not read."""
        return time.monotonic() - self._caught_up if self._behind or self._failures else 0.0

    def stop(self) -> None:
        """Read no more. Returns at once."""
        self._stopping.set()
        idle = self._idle
        if idle:
            idle.ready.set()

    def read(self) -> Page | None:
        """Return the next page when it is due; None if the read failed, or reading was stopped.

        Raises PositionLostError when the stream does not know where to continue.
        """
        try:
            page = self._next_page()
        except PositionLostError:
            raise
        except SourceError as error:
            self._stopping.wait(self._after_error(error))
            self._pause = 0.0
            return None
        return self._after_success(page) if page else None

    def _next_page(self) -> Page | None:
        if self._iterator is None:
            self._iterator = self._source.iterator(self._position)
            self._not_before = self._position.at
        elif self._pause is None:
            idle = IdleShard(
                self._source,
                self._iterator,
                self._limit.records,
                self._last_record,
                self._gap,
                self._least_pause,
            )
            self._idle = idle
            if not self.stopped:
                self._poller.wait(idle)
            self._iterator = idle.iterator
            if idle.failed:
                self._doubt()
            if idle.page:
                return idle.page
        else:
            self._stopping.wait(self._pause)
        if self.stopped:
            return None
        return self._source.begin_read(self._iterator, self._limit.records)(None)

    def _after_error(self, error: SourceError) -> float:
        """Return how long to pause."""
        if isinstance(error, ThrottledError):
            if not self._least_pause:
                self._log.info("shard %s is throttled: reading slower", self._shard_id)
            doubled = max(THROTTLED_PAUSE, self._least_pause * 2)
            self._least_pause = min(LONGEST_THROTTLED_PAUSE, doubled)
            return self._least_pause
        if isinstance(error, PageTooLargeError) and self._limit.records > 1:
            self._limit.records //= 2
            return 0.0
        self._iterator = None
        self._failures += 1
        expired = isinstance(error, ExpiredIteratorError)
        if not self._reported and not (expired and self._failures == 1):
            self._reported = True
            self._log.warning("cannot read shard %s, retrying: %s", self._shard_id, error)
        if expired or isinstance(error, SourceNotFoundError):
            self._doubt()
        return growing_pause(self._failures)

    def _after_success(self, page: Page) -> Page:
        """Return `page` without the records that arrived before the position's time."""
        now = time.monotonic()
        self._iterator = page.next_iterator
        self._behind = page.behind
        if not page.behind:
            self._caught_up = now
        if self._reported:
            self._reported = False
            self._log.info("reading shard %s again", self._shard_id)
        if self._failures:
            # After an outage it may be another stream of that name: not every emulator's
            # iterators tell.
            self._doubt()
        self._failures = 0
        self._least_pause = min(self._least_pause, THROTTLED_PAUSE)
        if not page.records:
            self._pause = self._least_pause if page.behind else None
            return page
        self._pause = max(self._least_pause, 0.0 if page.behind else SHORTEST_PAUSE)
        self._gap = (self._gap + now - self._last_record) / 2
        self._last_record = now
        self._limit.learn(page.records)
        return self._without_early(page)

    def _without_early(self, page: Page) -> Page:
        """Records come roughly in order of arrival, so each one is looked at."""
        records, earliest = page.records, self._not_before
        if earliest is not None:
            records = [record for record in records if record.arrived >= earliest]
        if records:
            self._position = Position(after=records[-1].sequence_number)
        return replace(page, records=records)


class ShardRunner:
    """The threads of one shard: one that reads, and one for each lane that delivers.

    `ended` is called when the work is over and `end` says how; for `doubt` see ShardReader.
    """

    def __init__(
        self,
        shared: Shared,
        shard_id: str,
        position: Position,
        iterator: str | None,
        ended: Callable[[], None],
        doubt: Callable[[], None],
    ) -> None:
        pipe = shared.pipe
        self.shard_id = shard_id
        self.end: End | None = None
        self._log = PipeLog(pipe.name)
        self.checkpoint = ShardCheckpoint(shared.store, pipe.name, shard_id, self._log)
        self._shared = shared
        self._ended = ended
        self._stopping = threading.Event()
        self._failed_with: End | None = None
        self._backlog = Backlog(batch_rules(pipe), pipe.lanes)
        self._reader = ShardReader(shared, shard_id, position, iterator, doubt)
        self._lanes = [
            threading.Thread(
                target=self._deliver,
                args=(lane, shared.delivery(shard_id, self._stopping.wait)),
                name=f"deliver {shard_id}/{lane}",
                daemon=True,
            )
            for lane in range(pipe.lanes)
        ]
        self._reading = threading.Thread(target=self._run, name=f"read {shard_id}", daemon=True)

    def start(self) -> None:
        """Raises StartError when a thread cannot be started; those that run end at once."""
        try:
            for thread in [*self._lanes, self._reading]:
                thread.start()
        except RuntimeError as error:
            self.stop()
            raise StartError(f"cannot start the threads of {self.shard_id}: {error}") from error

    def stop(self) -> None:
        """Stop soon: batches that are at the target are the last. Returns at once."""
        self._stopping.set()
        self._reader.stop()
        self._backlog.stop()

    def drain(self) -> None:
        """Read no more, and finish what is read. Returns at once."""
        self._reader.stop()

    def join(self) -> None:
        """Wait until the work has ended."""
        self._reading.join()

    def lag(self) -> float:
        """How far the pipe is behind the shard, in seconds.

        That is the age of the oldest record that is not finished. A record that was not read may
        be as old as the last moment at which there was nothing more to read.
        """
        arrival = self.checkpoint.oldest_arrival
        age = time.time() - arrival if arrival is not None else 0.0
        return max(age, self._reader.unread_for)

    def _run(self) -> None:
        self._shared.telemetry.shard_begun(self.shard_id, self.lag)
        read_to_end = False
        try:
            read_to_end = self._read()
        except PositionLostError as error:
            self._log.warning("shard %s: %s", self.shard_id, error)
            self._failed_with = End.POSITION_LOST
        except Exception:
            self._crash("reading shard %s failed")
        self._backlog.end()
        for thread in self._lanes:
            thread.join()
        self._shared.telemetry.shard_ended(self.shard_id)
        self.end = self._how_it_ended(read_to_end)
        self._ended()

    def _read(self) -> bool:
        """Whether the shard is closed and read to its end; false when reading was stopped."""
        while True:
            # To request more than there is room for would only keep the server from the calls for
            # the records that are under way.
            self._backlog.wait_for_room()
            if self._reader.stopped:
                return False
            page = self._reader.read()
            if page and page.records:
                self._take_in(page.records)
            if page and page.next_iterator is None:
                return True

    def _take_in(self, page: Sequence[Record]) -> None:
        """Filter a page and add it to the backlog. What is filtered out is finished."""
        self._shared.telemetry.read(len(page))
        kept = page
        if self._shared.filter:
            kept = [record for record in page if self._shared.filter.passes(record)]
        if len(kept) < len(page):
            self._shared.telemetry.filtered(len(page) - len(kept))
        self.checkpoint.read(page, kept)
        self._backlog.put(kept)

    def _deliver(self, lane: int, delivery: Delivery) -> None:
        try:
            while batch := self._backlog.take(lane):
                if not delivery.deliver(batch):
                    return
                self.checkpoint.done(batch)
        except Exception:
            self._crash("delivering records of shard %s failed")

    def _crash(self, message: str) -> None:
        self._log.exception(message, self.shard_id)
        self._failed_with = End.CRASHED
        self.stop()

    def _how_it_ended(self, read_to_end: bool) -> End:
        if self._failed_with:
            return self._failed_with
        if self._stopping.is_set():
            return End.STOPPED
        return End.FINISHED if read_to_end else End.GONE
