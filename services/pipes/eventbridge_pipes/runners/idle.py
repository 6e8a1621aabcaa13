"""Polls the shards that have given nothing for a while: one thread for all of a process.

A thread that wakes up for a single poll finds the processor's caches cold, and a hundred such
threads wake up a hundred times as often. Polls in a row, some of them at once, cost less.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter

from eventbridge_pipes.runners import polling
from eventbridge_pipes.runners.budget import Budget
from eventbridge_pipes.sources.source import Page, ShardReads

PATIENCE_SECONDS = 1.0
"""A shard that takes longer to answer is left to its reader, so as not to hold up the others."""

LOOK_SECONDS = 0.1
"""How often the thread looks for shards that are to be read no more."""


@dataclass(eq=False)
class Nap:
    """The sleep of one shard. `iterator` moves on; `empty_since` is in monotonic seconds.

    `troubled`: a poll failed.
    """

    shard: ShardReads
    iterator: str
    limit: int
    empty_since: float
    stop: threading.Event
    due: float = 0.0
    found: Page | None = None
    troubled: bool = False
    over: threading.Event = field(default_factory=threading.Event)


class Sleepers:
    """The sleeping shards of a process. Their thread runs while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._naps: list[Nap] = []
        self._polling = False
        self._budget = Budget()

    def rest(self, took: float) -> float:
        """Seconds that a shard has to rest which is empty, but awake still (`streams.budget`)."""
        return self._budget.rest(took)

    def sleep(self, nap: Nap) -> Page | None:
        """Return when the shard's reader has something to do.

        That is a page with records, or the last page of the shard; or None, when the reader is to
        stop, or to read on from the nap's iterator by itself: any trouble is its own.
        """
        nap.due = _next_poll(nap)
        with self._lock:
            self._naps.append(nap)
            if not self._polling:
                self._polling = True
                threading.Thread(target=self._run, name="sleeping shards", daemon=True).start()
        nap.over.wait()
        return nap.found

    def _run(self) -> None:
        while naps := self._asleep():
            begun = time.monotonic()
            # Those that are due soon come along with those that are due now.
            due = sorted(naps, key=attrgetter("due"))[: polling.POLLS_AT_ONCE]
            due = [nap for nap in due if nap.due <= begun + LOOK_SECONDS / 2]
            _poll(due)
            ended = time.monotonic()
            until_due = min(nap.due for nap in naps) - ended
            rest = polling.sleepers_rest(ended - begun)
            time.sleep(max(rest, min(LOOK_SECONDS, until_due)))

    def _asleep(self) -> list[Nap]:
        """Those that still sleep; when there are none, the thread is about to end."""
        with self._lock:
            for nap in self._naps:
                if nap.stop.is_set():
                    nap.over.set()
            self._naps = [nap for nap in self._naps if not nap.over.is_set()]
            self._polling = bool(self._naps)
            return self._naps


def _next_poll(nap: Nap) -> float:
    now = time.monotonic()
    return now + polling.sleeping_pause(now - nap.empty_since)


def _poll(naps: Sequence[Nap]) -> None:
    under_way = []
    for nap in naps:
        with _woken_by_trouble(nap):
            under_way.append((nap, nap.shard.ask(nap.iterator, nap.limit)))
    for nap, answer in under_way:
        with _woken_by_trouble(nap):
            _take(nap, answer(PATIENCE_SECONDS))


def _take(nap: Nap, page: Page) -> None:
    if page.records or page.next_iterator is None:
        nap.found = page
    else:
        nap.iterator = page.next_iterator
        nap.due = _next_poll(nap)
        if not page.behind:
            return
    nap.over.set()


@contextmanager
def _woken_by_trouble(nap: Nap) -> Iterator[None]:
    try:
        yield
    except Exception:
        # The reader asks again, meets whatever it is, and knows what to do about it.
        nap.troubled = True
        nap.over.set()
