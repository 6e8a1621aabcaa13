"""Reads one shard page by page; while it is idle, one thread polls it with all others.

A thread that wakes up for a single poll finds the processor's caches cold, and a hundred such
threads wake up a hundred times as often. Polls in a row, some of them at once, cost less.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.execution.delivery import Delivery, Wait
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Position, Record
from eventbridge_pipes.sources.source import (
    ExpiredIteratorError,
    Page,
    PageTooLargeError,
    PendingPage,
    PositionLostError,
    ShardSource,
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

SHORTEST_PAUSE = 0.010
LONGEST_PAUSE = 0.4
GROWTH = 0.25
"""A shard is polled again after this share of the time that it has been empty."""

LONGEST_SLOW_PAUSE = 2.0
"""Each shard is polled about so often, however long polls take and however many shards are idle."""
SHARD_SHARE = 0.02
ALL_SHARE = 0.15
"""The share of the time that polls may take: of one shard, and of all shards together."""
POLLS_PER_SECOND = 110
"""For all shards together, as long as each has its turn: what this process spends on polls."""
BUSY_SECONDS = 0.25
BUSY_GAPS = 4
"""A shard's records keep coming if the time between pages is no longer than BUSY_SECONDS, until
the shard has been empty for so many times as long as usual."""
BUSY_POLLS = 5
"""How often such a shard is polled between two pages, at most."""

POLLS_AT_ONCE = 8
EARLY_SHARE = 0.15
"""A poll may be made together with others when no more than this share of its pause is left."""
REST = 2.0
"""The thread rests so many times as long as the last polls took, for the server's other calls."""
LONGEST_REST = 0.25
ANSWER_SECONDS = 1.0
"""A shard that takes longer to answer is left to its reader, which delays no other shard."""
KEEP_SECONDS = 5.0
"""How long the thread stays when there is no shard to poll."""
COST_STEP = 1.2


@dataclass(eq=False)
class PolledShard:
    """What the poller knows of a shard. `iterator` moves on with each poll.

    `empty_since` is when the shard last gave a record (monotonic seconds), `gap` the usual seconds
    between its pages with records, `least_pause` what throttling has taught. In the end `ready` is
    set, with the `page` that was found, or with `failed` if a poll failed.
    """

    source: ShardSource
    iterator: str
    limit: int
    empty_since: float
    gap: float = math.inf
    least_pause: float = 0.0
    page: Page | None = None
    failed: bool = False
    ready: threading.Event = field(default_factory=threading.Event)


def pause(empty_for: float, gap: float, cost: float, shards: int) -> float:
    """Return the seconds until an idle shard is polled again.

    `cost` is how long a poll takes, `shards` how many are idle. A shard whose records keep coming
    is polled fast for the time in which the next ones are expected.
    """
    growing = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, empty_for * GROWTH))
    if gap <= BUSY_SECONDS and empty_for <= BUSY_GAPS * gap:
        return max(growing, gap / BUSY_POLLS, min(LONGEST_REST, cost * REST))
    turn = shards * max(cost / ALL_SHARE, 1 / POLLS_PER_SECOND)
    return max(growing, min(LONGEST_SLOW_PAUSE, max(cost / SHARD_SHARE, turn)))


class IdlePoller:
    """The idle shards of all pipes, in a heap by the time when each is due."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # When each is due, a number that no other has, and from when on it may be polled.
        self._due: list[tuple[float, int, float, PolledShard]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        # The median of what a poll takes, in seconds: one slow answer hardly changes it.
        self._cost = 0.001

    def wait(self, shard: PolledShard) -> None:
        """Return when the reader of `shard` has something to do.

        That is a page with records or the last page of the shard, a failed poll, records further
        on, or `shard.ready` that somebody else has set.
        """
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="idle shards", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no thread can be started now: the reader polls by itself
                    shard.ready.wait(LONGEST_PAUSE)
                    return
                self._thread = thread
            self._push(shard, 1 + len(self._due))
            self._changed.notify()
        shard.ready.wait()

    def _run(self) -> None:
        while group := self._take_due():
            begun = time.monotonic()
            idle = _poll(group)
            took = time.monotonic() - begun
            with self._changed:
                rising = took / len(group) > self._cost
                self._cost *= COST_STEP if rising else 1 / COST_STEP
                for shard in idle:
                    self._push(shard, len(self._due) + len(idle))
            if idle:
                time.sleep(min(LONGEST_REST, took * REST))

    def _push(self, shard: PolledShard, shards: int) -> None:
        now = time.monotonic()
        rest = pause(now - shard.empty_since, shard.gap, self._cost, shards)
        rest = max(rest, shard.least_pause)
        earliest = now + rest * (1 - EARLY_SHARE)
        heapq.heappush(self._due, (now + rest, next(self._order), earliest, shard))

    def _take_due(self) -> list[PolledShard]:
        """Wait for the shards that are due, some at a time; none ends the thread."""
        with self._changed:
            while True:
                while self._due and self._due[0][3].ready.is_set():
                    heapq.heappop(self._due)
                if not self._due:
                    if not self._changed.wait(KEEP_SECONDS) and not self._due:
                        self._thread = None
                        return []
                    continue
                until_due = self._due[0][0] - time.monotonic()
                if until_due <= 0:
                    break
                self._changed.wait(until_due)
            now = time.monotonic()
            group: list[PolledShard] = []
            while self._due and self._due[0][2] <= now and len(group) < POLLS_AT_ONCE:
                group.append(heapq.heappop(self._due)[3])
            return group


def _poll(group: list[PolledShard]) -> list[PolledShard]:
    """Poll the shards at the same time; return those still idle, and set the others ready.

    Only those returned may be looked at afterwards: a shard that is ready is its reader's again.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    pending: list[tuple[PolledShard, PendingPage]] = []
    for shard in group:
        try:
            pending.append((shard, shard.source.begin_read(shard.iterator, shard.limit)))
        except Exception:
            _fail(shard)
    idle = []
    for shard, answer in pending:
        try:
            page = answer(max(0.01, deadline - time.monotonic()))
        except Exception:
            _fail(shard)
            continue
        if page.next_iterator is None or page.records:
            shard.page = page
        else:
            shard.iterator = page.next_iterator
            if not page.behind:
                idle.append(shard)
                continue
        shard.ready.set()
    return idle


def _fail(shard: PolledShard) -> None:
    """Its reader reads again, meets the same error, and knows what to do about it."""
    shard.failed = True
    shard.ready.set()


def limit_after(page: Sequence[Record], limit: int) -> int:
    """How many records to request after `page`, of at most `limit`, so that memory stays bounded.

    A request limits the number of records, not of bytes. The size of the last records tells how
    many of the next ones fit into PAGE_BYTES. The limit grows in steps, as those may be larger.
    """
    mean = max(1, sum(record.size for record in page) // len(page))
    return max(1, min(PAGE_RECORDS, PAGE_BYTES // mean, 10 * limit))


@dataclass(eq=False)
class Shared:
    """What the shards of a running pipe share.

    `delivery` makes the delivery of a lane, from the id of its shard and a wait that a stop of the
    pipe ends. `page_limit` is how many records a read requests. `wake` is set when the runner of
    the stream has to look at the shards, and `in_doubt` when the stream may have been deleted and
    created again.
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
    in_doubt: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self.log = PipeLog(self.pipe.name)

    def doubt(self) -> None:
        self.in_doubt = True
        self.wake.set()


class ShardReader(PolledShard):
    """Reads a shard page by page, and tries again when a read fails.

    It begins with `iterator`, or at `position` if that is empty.
    """

    def __init__(self, shared: Shared, shard_id: str, position: Position, iterator: str) -> None:
        source = shared.stream.shard(shard_id)
        super().__init__(source, iterator, 0, time.monotonic(), BUSY_SECONDS)
        self._shared = shared
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
            self.limit = self._shared.page_limit
            self.ready.clear()
            if not self.stopping.is_set():
                self._shared.poller.wait(self)
            if self.failed:
                self._shared.doubt()
            if self.page:
                return self.page
        else:
            self.stopping.wait(self._pause)
        if self.stopping.is_set():
            return None
        if not self.iterator:
            self.iterator = self.source.iterator(self._position)
            self._not_before = self._position.at
        return self.source.begin_read(self.iterator, self._shared.page_limit)(None)

    def _after_error(self, error: SourceError) -> float:
        """Return how long to pause."""
        if isinstance(error, ThrottledError):
            if not self.least_pause:
                self._shared.log.info("shard %s is throttled: reading slower", self._shard_id)
            doubled = max(THROTTLED_PAUSE, self.least_pause * 2)
            self.least_pause = min(LONGEST_THROTTLED_PAUSE, doubled)
            return self.least_pause
        if isinstance(error, PageTooLargeError) and self._shared.page_limit > 1:
            self._shared.page_limit //= 2
            return 0.0
        self.iterator = ""
        self._failures += 1
        expired = isinstance(error, ExpiredIteratorError)
        if not self._reported and not (expired and self._failures == 1):
            self._reported = True
            self._shared.log.warning("cannot read shard %s, retrying: %s", self._shard_id, error)
        if expired or isinstance(error, SourceNotFoundError):
            self._shared.doubt()
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
            self._shared.log.info("reading shard %s again", self._shard_id)
        if self._failures:
            # After an outage it may be another stream of that name: not every emulator's
            # iterators tell.
            self._shared.doubt()
        self._failures = 0
        self.least_pause = min(self.least_pause, THROTTLED_PAUSE)
        if not page.records:
            self._pause = self.least_pause if page.behind else None
            return page
        self._pause = max(self.least_pause, 0.0 if page.behind else SHORTEST_PAUSE)
        self.gap = (self.gap + now - self.empty_since) / 2
        self.empty_since = now
        self._shared.page_limit = limit_after(page.records, self._shared.page_limit)
        if (earliest := self._not_before) is not None:
            # Records come roughly in order of arrival, so each one is looked at.
            page = replace(page, records=[r for r in page.records if r.arrived >= earliest])
        if page.records:
            self._position = Position(after=page.records[-1].sequence_number)
        return page
