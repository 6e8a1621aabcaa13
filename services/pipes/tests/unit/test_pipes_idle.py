"""Idle shards, polled together: when each is polled, what makes its reader go on, and what not."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.record import OLDEST, Position, Record
from eventbridge_pipes.runners import idle as module
from eventbridge_pipes.runners.idle import IdlePoller, PolledShard, pause
from eventbridge_pipes.runners.shard import ShardReader
from eventbridge_pipes.sources.source import Page, PendingPage, SourceError
from eventbridge_pipes.store import Store
from pipes_fakes import FakeStream, FakeTarget, context_by, stream_runner
from waiting import eventually

FOUND = Page([Record("a:1", "1", 0.0, "{}")], "on", behind=False)
LAST = Page([], None, behind=False)
CHEAP, COSTLY = 0.001, 0.010
"""What a poll takes: MiniStack answers one in about a millisecond, LocalStack in ten."""

seconds = st.floats(0, 1e6)


def test_a_shard_that_just_gave_a_record_is_polled_again_after_some_milliseconds() -> None:
    assert pause(0.0, gap=0.05, cost=CHEAP, shards=1) <= 0.015
    assert pause(0.05, gap=0.05, cost=CHEAP, shards=1) <= 0.015


def test_a_shard_that_was_empty_for_a_minute_is_polled_every_0_3_seconds() -> None:
    assert pause(60.0, gap=0.05, cost=CHEAP, shards=1) == 0.3


def test_one_of_64_idle_shards_is_polled_about_twice_a_second() -> None:
    assert 0.4 <= pause(60.0, gap=60.0, cost=CHEAP, shards=64) <= 0.6


def test_where_polls_are_costly_a_quiet_shard_is_polled_twice_a_second() -> None:
    assert pause(0.0, gap=2.0, cost=COSTLY, shards=1) == 0.5
    assert pause(60.0, gap=60.0, cost=COSTLY, shards=1) == 0.5


def test_where_polls_are_costly_a_shard_is_polled_faster_while_records_come() -> None:
    assert pause(0.1, gap=0.2, cost=COSTLY, shards=1) == pytest.approx(0.04)
    assert pause(0.9, gap=0.2, cost=COSTLY, shards=1) == 0.5


@given(seconds, seconds, st.floats(0, 10), st.integers(1, 10_000))
def test_every_shard_is_polled_at_least_once_in_two_seconds(
    empty_for: float, gap: float, cost: float, shards: int
) -> None:
    assert module.SHORTEST_PAUSE <= pause(empty_for, gap, cost, shards) <= 2.0


@given(seconds, seconds, seconds, st.floats(0, 1), st.integers(1, 1000))
def test_the_longer_a_shard_is_empty_the_longer_the_pause(
    empty_for: float, longer: float, gap: float, cost: float, shards: int
) -> None:
    first, second = (
        pause(empty_for, gap, cost, shards),
        pause(empty_for + longer, gap, cost, shards),
    )
    assert first <= second


class ScriptedShard:
    """Gives empty pages, then what it is set to give; counts the polls of all such shards."""

    at_once = 0
    most_at_once = 0

    def __init__(self) -> None:
        self.polls = 0
        self.next: Page | Exception | None = None
        self.timeout: float | None = None
        self.takes = 0.0

    def iterator(self, position: Position) -> str:
        raise NotImplementedError

    def begin_read(self, iterator: str, limit: int) -> PendingPage:
        kind = type(self)
        kind.at_once += 1
        kind.most_at_once = max(kind.most_at_once, kind.at_once)

        def answer(timeout: float | None) -> Page:
            kind.at_once -= 1
            self.timeout = timeout
            time.sleep(self.takes)
            if isinstance(self.next, Exception):
                raise self.next
            self.polls += 1
            return self.next or Page([], f"{iterator}+", behind=False)

        return answer


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pause", lambda *_: 0.001)


class Readers:
    """Has shards polled, each waited for in a thread as its reader does."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._poller = IdlePoller()
        self._shards: list[PolledShard] = []

    def wait(self, source: ScriptedShard) -> tuple[PolledShard, Future[None]]:
        shard = PolledShard(source, "i", 100, time.monotonic() - 60)
        self._shards.append(shard)
        return shard, self._threads.submit(self._poller.wait, shard)

    def stop(self) -> None:
        for shard in self._shards:
            shard.ready.set()


@pytest.fixture
def readers(_short_pauses: None) -> Iterator[Readers]:
    ScriptedShard.at_once = ScriptedShard.most_at_once = 0
    with ThreadPoolExecutor(100) as threads:
        readers = Readers(threads)
        yield readers
        readers.stop()


@pytest.mark.parametrize("page", [FOUND, LAST], ids=["records", "end"])
def test_a_page_is_given_to_its_reader(readers: Readers, page: Page) -> None:
    source = ScriptedShard()
    shard, ready = readers.wait(source)
    eventually(lambda: source.polls > 2)
    assert not ready.done()
    source.next = page
    ready.result(5)
    assert shard.page is page


@pytest.mark.parametrize(
    "error", [SourceError("no answer"), ZeroDivisionError("a fault of ours")], ids=repr
)
def test_an_error_is_left_to_the_reader_with_the_iterator_that_is_next(
    readers: Readers, error: Exception
) -> None:
    source = ScriptedShard()
    shard, ready = readers.wait(source)
    eventually(lambda: source.polls > 2)
    source.next = error
    ready.result(5)
    assert shard.page is None
    assert shard.iterator == "i" + "+" * source.polls
    assert shard.failed


def test_an_error_of_one_shard_leaves_the_others_idle(readers: Readers) -> None:
    broken, fine = ScriptedShard(), ScriptedShard()
    broken.next = SourceError("no answer")
    _, ready = readers.wait(broken)
    _, still_idle = readers.wait(fine)
    ready.result(5)
    polls = fine.polls
    eventually(lambda: fine.polls > polls + 2)
    assert not still_idle.done()


def test_a_shard_that_is_behind_is_left_to_its_reader(readers: Readers) -> None:
    source = ScriptedShard()
    source.next = Page([], "further", behind=True)
    shard, ready = readers.wait(source)
    ready.result(5)
    assert shard.page is None
    assert shard.iterator == "further"


def test_a_reader_that_is_to_stop_goes_on_though_its_shard_is_not_due(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "pause", lambda *_: 3600.0)
    source = ScriptedShard()
    shard, ready = readers.wait(source)
    shard.ready.set()
    ready.result(5)
    assert source.polls == 0


def test_many_shards_all_have_their_turn_some_at_a_time(readers: Readers) -> None:
    sources = [ScriptedShard() for _ in range(30)]
    waiting = [readers.wait(source)[1] for source in sources]
    eventually(lambda: all(source.polls > 1 for source in sources))
    assert 1 < ScriptedShard.most_at_once <= module.POLLS_AT_ONCE
    sources[17].next = FOUND
    waiting[17].result(5)
    assert [ready.done() for ready in waiting].count(True) == 1


def test_shards_that_are_polled_together_are_waited_for_no_longer_than_one_of_them(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)
    sources = [ScriptedShard() for _ in range(module.POLLS_AT_ONCE)]
    for source in sources:
        source.takes = 0.1
        readers.wait(source)
    eventually(lambda: all(source.polls > 1 for source in sources))
    assert all(source.timeout is not None and source.timeout <= 0.2 for source in sources)
    assert ScriptedShard.most_at_once > 1
    assert min(source.timeout or 1.0 for source in sources) < 0.11


def test_the_poller_learns_what_a_poll_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = [0.0]

    def noted(empty_for: float, gap: float, cost: float, shards: int) -> float:
        costs.append(cost)
        return 0.001

    monkeypatch.setattr(module, "pause", noted)
    source = ScriptedShard()
    source.takes = 0.01
    with ThreadPoolExecutor(1) as threads:
        readers = Readers(threads)
        readers.wait(source)
        eventually(lambda: costs[-1] > 0.008)
        source.takes = 0.0
        eventually(lambda: costs[-1] < 0.002)
        readers.stop()


def test_the_thread_ends_when_there_is_nothing_to_poll_and_comes_back(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.0)
    before = pollers()
    for _ in range(2):
        source = ScriptedShard()
        source.next = FOUND
        readers.wait(source)[1].result(5)
        eventually(lambda: pollers() <= before)


def pollers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "idle shards"}


def test_a_thread_that_cannot_be_started_is_started_the_next_time(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ScriptedShard()
    source.next = FOUND
    poller = IdlePoller()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        first = PolledShard(source, "i", 100, 0.0)
        poller.wait(first)
    assert first.page is None
    second = PolledShard(source, "i", 100, 0.0)
    poller.wait(second)
    assert second.page is FOUND


def no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.fixture
def running(stream: FakeStream, tmp_path: Path) -> Iterator[FakeTarget]:
    store, target = Store(tmp_path), FakeTarget()
    runner = stream_runner(stream, target, store)
    runner.start()
    yield target
    runner.stop()
    assert runner.join(10)
    store.close()


def delivered(target: FakeTarget, *words: str) -> Callable[[], bool]:
    return lambda: target.delivered == list(words)


def idle_for_a_while(stream: FakeStream) -> None:
    polls = len(stream.limits)
    eventually(lambda: len(stream.limits) > polls + 2)


def test_what_comes_to_an_idle_shard_is_delivered(stream: FakeStream, running: FakeTarget) -> None:
    idle_for_a_while(stream)
    stream.put("a", "one", "two")
    eventually(delivered(running, "one", "two"))
    idle_for_a_while(stream)
    stream.put("a", "three")
    eventually(delivered(running, "one", "two", "three"))


def test_an_error_while_a_shard_is_idle_loses_nothing(
    stream: FakeStream, running: FakeTarget
) -> None:
    idle_for_a_while(stream)
    with stream.lock:
        stream.troubles += [SourceError("no answer")] * 3
    stream.put("a", "one")
    eventually(delivered(running, "one"))


def test_a_shard_that_splits_while_it_is_idle_is_followed(
    stream: FakeStream, running: FakeTarget
) -> None:
    idle_for_a_while(stream)
    stream.add_shard("b", "a")
    stream.put("b", "after")
    stream.closed.add("a")
    eventually(delivered(running, "after"))


class Idle(ScriptedShard):
    """Writes down how it is read: by its reader, or by the poller."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        script: list[Page | Exception] = [
            Page([], "second", False),
            Page([], "third", False),
            SourceError("away"),
            Page([], "fourth", False),
            FOUND,
            LAST,
        ]
        self.script = iter(script)

    def iterator(self, position: Position) -> str:
        return "first"

    def begin_read(self, iterator: str, limit: int) -> PendingPage:
        by_poller = threading.current_thread().name == "idle shards"
        self.reads.append(f"{iterator} by {'poller' if by_poller else 'reader'}")
        self.next = next(self.script)
        return super().begin_read(iterator, limit)


def test_a_reader_goes_on_from_where_the_poller_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Idle()

    class OneShard(FakeStream):
        def shard(self, shard_id: str) -> Any:
            return source

    checks: list[str] = []
    shared = context_by(OneShard(), FakeTarget(), store)
    monkeypatch.setattr(shared, "check_stream", lambda: checks.append("check"))
    reader = ShardReader(shared, "a", OLDEST, "")
    pages = list(iter(reader.read, LAST))
    assert pages == [Page([], "second", False), Page([], "fourth", False), FOUND]
    assert checks == ["check"]
    assert source.reads == [
        "first by reader",
        "second by poller",
        "third by poller",
        "third by reader",
        "fourth by poller",
        "on by reader",
    ]


def test_a_shard_of_unknown_pace_is_not_taken_for_one_whose_records_keep_coming() -> None:
    assert PolledShard(ScriptedShard(), "i", 100, 0.0).gap == math.inf
