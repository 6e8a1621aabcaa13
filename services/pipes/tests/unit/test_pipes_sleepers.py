"""Shards that give nothing, polled together: who is woken, by what, and who sleeps on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.position import OLDEST, Position
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners import idle, polling
from eventbridge_pipes.runners.idle import Nap, Sleepers
from eventbridge_pipes.runners.pages import PageLimit
from eventbridge_pipes.runners.reader import ShardReader
from eventbridge_pipes.sources.source import Asked, Page, SourceError
from eventbridge_pipes.store import Store
from pipes_fakes import FakeStream, FakeTarget, supervised
from waiting import eventually

FOUND = Page([Record("a:1", "1", 0.0, "{}")], "on", behind=False)
LAST = Page([], None, behind=False)


class ScriptedShard:
    """Gives empty pages, then what it is set to give; counts the polls of all such shards."""

    asked_at_once = 0
    most_at_once = 0

    def __init__(self) -> None:
        self.polls = 0
        self.next: Page | Exception | None = None
        self.patience: float | None = None

    def iterator(self, position: Position) -> str:
        raise NotImplementedError

    def page(self, iterator: str, limit: int) -> Page:
        raise NotImplementedError

    def ask(self, iterator: str, limit: int) -> Asked:
        kind = type(self)
        kind.asked_at_once += 1
        kind.most_at_once = max(kind.most_at_once, kind.asked_at_once)

        def answer(patience: float | None = None) -> Page:
            kind.asked_at_once -= 1
            self.patience = patience
            if isinstance(self.next, Exception):
                raise self.next
            self.polls += 1
            return self.next or Page([], f"{iterator}+", behind=False)

        return answer


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "sleeping_pause", lambda idle: 0.001)


class Bed:
    """Puts shards to sleep, each in a thread as its reader would."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._sleepers = Sleepers()
        self.stop = threading.Event()

    def sleep(self, shard: ScriptedShard) -> tuple[Nap, Future[Page | None]]:
        nap = Nap(shard, "i", 100, time.monotonic(), self.stop)
        return nap, self._threads.submit(self._sleepers.sleep, nap)


@pytest.fixture
def bed() -> Iterator[Bed]:
    ScriptedShard.asked_at_once = ScriptedShard.most_at_once = 0
    with ThreadPoolExecutor(100) as threads:
        bed = Bed(threads)
        yield bed
        bed.stop.set()


@pytest.mark.parametrize("page", [FOUND, LAST], ids=["records", "end"])
def test_a_page_wakes_its_reader(bed: Bed, page: Page) -> None:
    shard = ScriptedShard()
    _, woken = bed.sleep(shard)
    eventually(lambda: shard.polls > 2)
    assert not woken.done()
    shard.next = page
    assert woken.result(5) is page


@pytest.mark.parametrize(
    "trouble", [SourceError("no answer"), ZeroDivisionError("a fault of ours")], ids=repr
)
def test_trouble_is_left_to_the_reader_with_the_iterator_that_is_next(
    bed: Bed, trouble: Exception
) -> None:
    shard = ScriptedShard()
    nap, woken = bed.sleep(shard)
    eventually(lambda: shard.polls > 2)
    shard.next = trouble
    assert woken.result(5) is None
    assert nap.iterator == "i" + "+" * shard.polls
    assert nap.troubled


def test_trouble_of_one_shard_leaves_the_others_asleep(bed: Bed) -> None:
    broken, fine = ScriptedShard(), ScriptedShard()
    broken.next = SourceError("no answer")
    _, woken = bed.sleep(broken)
    _, asleep = bed.sleep(fine)
    assert woken.result(5) is None
    polls = fine.polls
    eventually(lambda: fine.polls > polls + 2)
    assert not asleep.done()


def test_a_shard_that_is_behind_is_left_to_its_reader(bed: Bed) -> None:
    shard = ScriptedShard()
    shard.next = Page([], "further", behind=True)
    nap, woken = bed.sleep(shard)
    assert woken.result(5) is None
    assert nap.iterator == "further"


def test_a_reader_that_is_to_stop_wakes_though_its_shard_is_not_due(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "sleeping_pause", lambda idle: 3600.0)
    shard = ScriptedShard()
    _, woken = bed.sleep(shard)
    bed.stop.set()
    assert woken.result(5) is None
    assert shard.polls == 0


def test_many_shards_all_have_their_turn_some_at_a_time(bed: Bed) -> None:
    shards = [ScriptedShard() for _ in range(30)]
    naps = [bed.sleep(shard)[1] for shard in shards]
    eventually(lambda: all(shard.polls > 1 for shard in shards))
    assert 1 < ScriptedShard.most_at_once <= polling.POLLS_AT_ONCE
    shards[17].next = FOUND
    assert naps[17].result(5) is FOUND
    assert [nap.done() for nap in naps].count(True) == 1


def test_no_shard_is_waited_for_longer_than_a_moment(bed: Bed) -> None:
    shard = ScriptedShard()
    bed.sleep(shard)
    eventually(lambda: shard.polls)
    assert shard.patience == idle.PATIENCE_SECONDS


def test_the_thread_ends_with_the_last_sleeper_and_comes_back_with_the_next(bed: Bed) -> None:
    for _ in range(2):
        shard = ScriptedShard()
        shard.next = FOUND
        assert bed.sleep(shard)[1].result(5) is FOUND
        eventually(lambda: not any(t.name == "sleeping shards" for t in threading.enumerate()))


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> FakeStream:
    """Its shards fall asleep as soon as they give nothing."""
    monkeypatch.setattr(polling, "AWAKE_SECONDS", 0.0)
    stream = FakeStream()
    stream.add_shard("a")
    return stream


@pytest.fixture
def running(stream: FakeStream, tmp_path: Path) -> Iterator[FakeTarget]:
    store, target = Store(tmp_path), FakeTarget()
    supervisor = supervised(stream, target, store)
    supervisor.start()
    yield target
    supervisor.stop()
    assert supervisor.join(10)
    store.close()


def delivered(target: FakeTarget, *words: str) -> Callable[[], bool]:
    return lambda: target.delivered == list(words)


def asleep(stream: FakeStream) -> None:
    polls = len(stream.limits)
    eventually(lambda: len(stream.limits) > polls + 2)


def test_what_comes_to_a_sleeping_shard_is_delivered(
    stream: FakeStream, running: FakeTarget
) -> None:
    asleep(stream)
    stream.put("a", "one", "two")
    eventually(delivered(running, "one", "two"))
    asleep(stream)
    stream.put("a", "three")
    eventually(delivered(running, "one", "two", "three"))


def test_trouble_while_a_shard_sleeps_loses_nothing(
    stream: FakeStream, running: FakeTarget
) -> None:
    asleep(stream)
    with stream.lock:
        stream.troubles += [SourceError("no answer")] * 3
    stream.put("a", "one")
    eventually(delivered(running, "one"))


def test_a_shard_that_splits_in_its_sleep_is_followed(
    stream: FakeStream, running: FakeTarget
) -> None:
    asleep(stream)
    stream.add_shard("b", "a")
    stream.put("b", "after")
    stream.closed.add("a")
    eventually(delivered(running, "after"))


class FallsAsleep(ScriptedShard):
    """Writes down how it is read: by its reader, or in its sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        script: list[Page | Exception] = [Page([], "third", False), SourceError("away"), FOUND]
        self.in_sleep = iter(script)
        self.by_reader = iter([Page([], "second", False), Page([], "fourth", False), LAST])

    def iterator(self, position: Position) -> str:
        return "first"

    def page(self, iterator: str, limit: int) -> Page:
        self.reads.append(f"{iterator} by reader")
        return next(self.by_reader)

    def ask(self, iterator: str, limit: int) -> Asked:
        self.reads.append(f"{iterator} in sleep")
        self.next = next(self.in_sleep)
        return super().ask(iterator, limit)


class PageInlet:
    def __init__(self) -> None:
        self.pages: list[Sequence[Record]] = []

    def wait_for_room(self) -> None:
        pass

    def put(self, page: Sequence[Record]) -> None:
        self.pages.append(page)


@pytest.mark.usefixtures("stream")
def test_a_reader_goes_on_from_where_the_sleep_of_its_shard_ended() -> None:
    shard, inlet, log = FallsAsleep(), PageInlet(), PipeLog("pipe")
    stop = threading.Event()
    reader = ShardReader(
        shard, "a", OLDEST, inlet, stop, lambda: None, log, Sleepers(), PageLimit()
    )
    assert reader.run()
    assert inlet.pages == [FOUND.records]
    assert shard.reads == [
        "first by reader",
        "second in sleep",
        "third in sleep",
        "third by reader",
        "fourth in sleep",
        "on by reader",
    ]
