"""Polls the shards whose last read gave no records: one thread for all of a process.

A thread that wakes up for a single poll finds the processor's caches cold, and a hundred such
threads wake up a hundred times as often. Polls in a row, some of them at once, cost less.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from dataclasses import dataclass, field

from eventbridge_pipes.sources.source import Page, PendingPage, ShardSource

SHORTEST_PAUSE = 0.010
LONGEST_PAUSE = 0.3
GROWTH = 0.25
"""A shard is polled again after this share of the time that it has been empty."""

LONGEST_SLOW_PAUSE = 2.0
"""Each shard is polled about so often, however long polls take and however many shards are idle."""
SHARD_SHARE = 0.02
ALL_SHARE = 0.18
"""The share of the time that polls may take: of one shard, and of all shards together."""
POLLS_PER_SECOND = 125
"""For all shards together, as long as each has its turn: what this process spends on polls."""
BUSY_SECONDS = 0.25
BUSY_GAPS = 4
"""A shard's records keep coming if the time between pages is no longer than BUSY_SECONDS, until
the shard has been empty for so many times as long as usual."""
BUSY_POLLS = 5
"""How often such a shard is polled between two pages, at most."""

POLLS_AT_ONCE = 16
EARLY_SHARE = 0.25
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
    """What the poller knows of a shard, which belongs to its reader, and to the poller between
    `wait` and `ready`. `iterator` moves on with each poll.

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
    # The last answer first: the thread wakes up once, and finds the others there.
    for shard, answer in reversed(pending):
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
