"""Reads one shard, and delivers its records lane by lane."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.execution.batch import batch_rules
from eventbridge_pipes.execution.delivery import Delivery, Wait
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Position, Record
from eventbridge_pipes.runners.backlog import Backlog, Progress
from eventbridge_pipes.runners.idle import BUSY_SECONDS, SHORTEST_PAUSE, IdlePoller, PolledShard
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

THROTTLED_PAUSE = 0.27
"""Kinesis allows five reads a second and shard; polls may come a little early (see `idle`)."""
LONGEST_THROTTLED_PAUSE = 5.0


class StartError(Exception):
    """Threads cannot be started for now, for want of memory or by a limit of the system."""


class End(StrEnum):
    """How the work on a shard ended, as the log says it."""

    FINISHED = "closed and read to its end"
    UNLISTED = "no longer in the stream; everything read from it is processed"
    STOPPED = "stopped"
    # The stream does not know the position: the runner of the stream finds another.
    POSITION_LOST = (
        "the stream does not have the checkpoint: reading from the pipe's starting position"
    )
    CRASHED = "failed; starting over from the last checkpoint"


def limit_after(page: Sequence[Record], limit: int) -> int:
    """How many records to request after `page`, of at most `limit`, so that memory stays bounded.

    A request limits the number of records, not of bytes. The size of the last records tells how
    many of the next ones fit into PAGE_BYTES. The limit grows in steps, as those may be larger.
    """
    mean = max(1, sum(record.size for record in page) // len(page))
    return max(1, min(PAGE_RECORDS, PAGE_BYTES // mean, 10 * limit))


@dataclass(eq=False)
class ShardContext:
    """What the shards of a running pipe share.

    `delivery` makes the delivery of a lane, from the id of its shard and a wait that a stop of the
    pipe ends. `page_limit` is how many records a read requests. `wake` is set when the runner of
    the stream has to look at the shards. `must_check_stream` is set when the stream may have been
    deleted and created again.
    """

    pipe: Pipe
    stream: Stream
    store: Store
    poller: IdlePoller
    delivery: Callable[[str, Wait], Delivery]
    filter: Filter
    telemetry: PipeTelemetry
    page_limit: int = field(default=FIRST_PAGE_RECORDS, init=False)
    wake: threading.Event = field(default_factory=threading.Event, init=False)
    must_check_stream: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self.log = PipeLog(self.pipe.arn)

    def check_stream(self) -> None:
        self.must_check_stream = True
        self.wake.set()


class ShardReader(PolledShard):
    """Reads a shard page by page, and tries again when a read fails.

    It begins with `iterator`, or at `position` if that is empty.
    """

    def __init__(
        self, context: ShardContext, shard_id: str, position: Position, iterator: str
    ) -> None:
        source = context.stream.shard(shard_id)
        super().__init__(source, iterator, 0, time.monotonic(), BUSY_SECONDS)
        self._context = context
        self._shard_id = shard_id
        self._position = position
        self.stopping = threading.Event()
        # None: the shard is idle.
        self._pause: float | None = 0.0
        self._not_before: float | None = None
        self._failures = 0
        self._reported = False
        self._caught_up = self.empty_since
        self._behind = True

    def unread_for(self) -> float:
        """For how many seconds the shard may have had records that were not read."""
        return time.monotonic() - self._caught_up if self._behind or self._failures else 0.0

    def stop(self) -> None:
        """Read no more. Returns at once."""
        self.stopping.set()
        self.ready.set()

    def read(self) -> Page | None:
        """Return the next page when it is due; None if the read failed, or reading was stopped.

        Raises PositionLostError when the stream does not know where to continue.
        """
        try:
            page = self._next_page()
        except PositionLostError:
            raise
        except SourceError as error:
            self._pause = self._after_error(error)
            return None
        return self._after_success(page) if page else None

    def _next_page(self) -> Page | None:
        if self._pause is None:
            self.page, self.failed = None, False
            self.limit = self._context.page_limit
            self.ready.clear()
            if not self.stopping.is_set():
                self._context.poller.wait(self)
            if self.failed:
                self._context.check_stream()
            if self.page:
                return self.page
        else:
            self.stopping.wait(self._pause)
        if self.stopping.is_set():
            return None
        if not self.iterator:
            self.iterator = self.source.iterator(self._position)
            self._not_before = self._position.at
        return self.source.begin_read(self.iterator, self._context.page_limit)(None)

    def _after_error(self, error: SourceError) -> float:
        """Return how long to pause."""
        if isinstance(error, ThrottledError):
            if not self.least_pause:
                self._context.log.info("shard %s is throttled: reading slower", self._shard_id)
            doubled = max(THROTTLED_PAUSE, self.least_pause * 2)
            self.least_pause = min(LONGEST_THROTTLED_PAUSE, doubled)
            return self.least_pause
        if isinstance(error, PageTooLargeError) and self._context.page_limit > 1:
            self._context.page_limit //= 2
            return 0.0
        self.iterator = ""
        self._failures += 1
        expired = isinstance(error, ExpiredIteratorError)
        if not self._reported and not (expired and self._failures == 1):
            self._reported = True
            self._context.log.warning("cannot read shard %s, retrying: %s", self._shard_id, error)
        if expired or isinstance(error, SourceNotFoundError):
            self._context.check_stream()
        return growing_pause(self._failures)

    def _after_success(self, page: Page) -> Page:
        """Return `page` without the records that arrived before the position's time."""
        now = time.monotonic()
        self.iterator = page.next_iterator or ""
        self._behind = page.behind
        if not page.behind:
            self._caught_up = now
        if self._reported:
            self._reported = False
            self._context.log.info("reading shard %s again", self._shard_id)
        if self._failures:
            # After an outage it may be another stream of that name: not every emulator's
            # iterators tell.
            self._context.check_stream()
        self._failures = 0
        self.least_pause = min(self.least_pause, THROTTLED_PAUSE)
        if not page.records:
            self._pause = self.least_pause if page.behind else None
            return page
        self._pause = max(self.least_pause, 0.0 if page.behind else SHORTEST_PAUSE)
        self.gap = (self.gap + now - self.empty_since) / 2
        self.empty_since = now
        self._context.page_limit = limit_after(page.records, self._context.page_limit)
        if (earliest := self._not_before) is not None:
            # Records come roughly in order of arrival, so each one is looked at.
            page = replace(page, records=[r for r in page.records if r.arrived >= earliest])
        if page.records:
            self._position = Position(after=page.records[-1].sequence_number)
        return page


class ShardRunner:
    """The threads of one shard: one that reads, and one for each lane that delivers.

    `end` says how the work ended, and is None before; the runner of the stream wakes up then.
    """

    def __init__(
        self, context: ShardContext, shard_id: str, position: Position, iterator: str
    ) -> None:
        pipe = context.pipe
        store = partial(context.store.advance, pipe.arn, shard_id)
        self.shard_id = shard_id
        self.end: End | None = None
        self.progress = Progress(store, shard_id, context.log)
        self._context = context
        self._stopping = threading.Event()
        self._failed_with: End | None = None
        self._backlog = Backlog(batch_rules(pipe), pipe.lanes)
        self._reader = ShardReader(context, shard_id, position, iterator)
        self._lanes = [
            threading.Thread(
                target=self._deliver, args=(lane,), name=f"deliver {shard_id}/{lane}", daemon=True
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
        arrival = self.progress.oldest_arrival
        age = time.time() - arrival if arrival is not None else 0.0
        return max(age, self._reader.unread_for())

    def _run(self) -> None:
        self._context.telemetry.shard_begun(self.shard_id, self.lag)
        end = End.UNLISTED
        try:
            end = self._read()
        except PositionLostError as error:
            self._context.log.warning("shard %s: %s", self.shard_id, error)
            self._failed_with = End.POSITION_LOST
        except Exception:
            self._crash("reading shard %s failed")
        self._backlog.end()
        for thread in self._lanes:
            thread.join()
        self.progress.save()
        self._context.telemetry.shard_ended(self.shard_id)
        self.end = self._failed_with or (End.STOPPED if self._stopping.is_set() else end)
        self._context.wake.set()

    def _read(self) -> End:
        """Read until the shard is closed and read to its end, or reading is stopped."""
        while True:
            # To request more than there is room for would only keep the server from the calls for
            # the records that are under way.
            self._backlog.wait_for_room()
            if self._reader.stopping.is_set():
                return End.UNLISTED
            page = self._reader.read()
            if page and page.records:
                self._take_in(page.records)
            if page and page.next_iterator is None:
                return End.FINISHED

    def _take_in(self, page: Sequence[Record]) -> None:
        """Filter a page and add it to the backlog. What is filtered out is finished."""
        self._context.telemetry.read(len(page))
        kept = page
        if self._context.filter:
            kept = [record for record in page if self._context.filter.passes(record)]
        if len(kept) < len(page):
            self._context.telemetry.filtered(len(page) - len(kept))
        self.progress.read(page, kept)
        self._backlog.put(kept)

    def _deliver(self, lane: int) -> None:
        try:
            delivery = self._context.delivery(self.shard_id, self._wait)
            while batch := self._backlog.take(lane, self.progress.save):
                if not delivery.deliver(batch):
                    return
                self.progress.done(batch)
        except Exception:
            self._crash("delivering records of shard %s failed")

    def _wait(self, seconds: float) -> bool:
        self.progress.save()
        return self._stopping.wait(seconds)

    def _crash(self, message: str) -> None:
        self._context.log.exception(message, self.shard_id)
        self._failed_with = End.CRASHED
        self.stop()
