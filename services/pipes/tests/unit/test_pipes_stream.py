"""A pipe's threads over a stream in memory: what is read, in which order, whatever goes wrong."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.outcome import SUCCEEDED, Outcome, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import LATEST, Position, Record, Shard
from eventbridge_pipes.runners import backlog
from eventbridge_pipes.runners.stream import LATEST_TRIES, StreamRunner, shards_to_read
from eventbridge_pipes.sources.source import ExpiredIteratorError, SourceError, ThrottledError
from eventbridge_pipes.store import Checkpoint, Origin, StateError, Store
from pipes_fakes import FakeStream, FakeTarget, stream_runner
from pipes_samples import PIPE
from waiting import eventually

WORDS = [f"word {number}" for number in range(250)]


class Runs:
    """Starts runners, and ends those that a test leaves running."""

    def __init__(self, stream: FakeStream, store: Store) -> None:
        self.stream = stream
        self.store = store
        self.target = FakeTarget()
        self._started: list[StreamRunner] = []

    def start(self, pipe: Pipe = PIPE, position: Position | None = None) -> StreamRunner:
        runner = stream_runner(self.stream, self.target, self.store, pipe, position or Position())
        return self.run(runner)

    def run(self, runner: StreamRunner) -> StreamRunner:
        self._started.append(runner)
        runner.start()
        return runner

    def stop(self) -> None:
        for runner in self._started:
            runner.stop()
            assert runner.join(10)

    def wait_for(self, count: int) -> list[str]:
        eventually(lambda: len(self.target.delivered) >= count, timeout=10)
        return self.target.delivered


@contextmanager
def running(runs: Runs) -> Iterator[Runs]:
    try:
        yield runs
    finally:
        runs.stop()


@pytest.fixture
def runs(stream: FakeStream, store: Store) -> Iterator[Runs]:
    with running(Runs(stream, store)) as runs:
        yield runs


def test_all_records_are_delivered_in_order(runs: Runs, stream: FakeStream) -> None:
    stream.put("a", *WORDS[:100])
    runs.start()
    runs.wait_for(100)
    stream.put("a", *WORDS[100:])
    assert runs.wait_for(250) == WORDS


def test_a_stopped_pipe_goes_on_where_it_was(runs: Runs, stream: FakeStream) -> None:
    stream.put("a", *WORDS[:100])
    first = runs.start()
    runs.wait_for(100)
    first.stop()
    assert first.join(10)
    stream.put("a", *WORDS[100:])
    runs.start()
    assert runs.wait_for(250) == WORDS


def test_the_position_moves_only_past_a_finished_batch(
    runs: Runs, stream: FakeStream, store: Store
) -> None:
    class Refusing(FakeTarget):
        def execute(self, records: Sequence[Record]) -> Outcome:
            super().execute(records)
            return all_failed(records, "refused")

    stream.put("a", *WORDS[:10])
    runs.target = Refusing()
    runs.start()
    runs.wait_for(30)
    assert store.checkpoints(PIPE.arn) == {}


@pytest.mark.parametrize("refused", [3, None], ids=["for a retry", "for more records"])
def test_what_is_finished_is_stored_before_a_lane_waits(
    refused: int | None,
    runs: Runs,
    stream: FakeStream,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though nothing else would store it: no second is long enough, and no look comes soon."""

    class Target(FakeTarget):
        def execute(self, records: Sequence[Record]) -> Outcome:
            super().execute(records)
            return all_failed(records, "no") if records[0].body == f"{refused}" else SUCCEEDED

    monkeypatch.setattr(backlog, "STORE_SECONDS", math.inf)
    monkeypatch.setattr(StreamRunner, "discovery_seconds", 3600.0)
    stream.put("a", "0", "1", "2", "3")
    parameters = {"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 1}}
    runs.target = Target()
    runner = stream_runner(stream, runs.target, store, replace(PIPE, source_parameters=parameters))
    del runner.discovery_seconds
    runs.run(runner)
    last = stream.records["a"][2 if refused else 3].sequence_number
    stored = Checkpoint(last, finished=False)
    eventually(lambda: store.checkpoints(PIPE.arn).get("a") == stored, timeout=10)


def test_a_parent_is_finished_before_its_children_begin(
    runs: Runs, stream: FakeStream, store: Store
) -> None:
    stream.put("a", *WORDS[:150])
    stream.add_shard("b", "a")
    stream.add_shard("c", "a")
    stream.put("b", *WORDS[150:200])
    stream.put("c", *WORDS[200:])
    stream.closed.add("a")
    runs.start()
    delivered = runs.wait_for(250)
    assert delivered[:150] == WORDS[:150]
    assert sorted(delivered) == sorted(WORDS)
    assert eventually(lambda: store.checkpoints(PIPE.arn)["a"].finished)


def test_a_shard_that_splits_while_it_is_read_is_followed(runs: Runs, stream: FakeStream) -> None:
    stream.put("a", "before")
    runs.start()
    runs.wait_for(1)
    stream.add_shard("b", "a")
    stream.put("b", "after")
    stream.closed.add("a")
    assert runs.wait_for(2) == ["before", "after"]


def test_a_shard_that_nothing_announced_is_found(runs: Runs, stream: FakeStream) -> None:
    runs.start()
    stream.add_shard("z")
    stream.put("z", "hello")
    assert runs.wait_for(1) == ["hello"]


def test_what_was_read_of_a_shard_that_vanishes_is_delivered(
    runs: Runs, stream: FakeStream
) -> None:
    stream.put("a", *WORDS)
    runs.start()
    runs.wait_for(1)
    with stream.lock:
        stream.listed[:] = [Shard("b", ("a",))]
        stream.records = {"b": []}
    stream.put("b", "child")
    delivered = runs.wait_for(2)
    assert eventually(lambda: delivered[-1] == "child")
    assert delivered[:-1] == WORDS[: len(delivered) - 1]


@pytest.mark.parametrize(
    "trouble",
    [
        ExpiredIteratorError("too old"),
        ThrottledError("too often"),
        SourceError("no answer"),
        ZeroDivisionError("a fault of ours"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_reading_goes_on_after_trouble(runs: Runs, stream: FakeStream, trouble: Exception) -> None:
    stream.troubles += [trouble, trouble]
    stream.put("a", *WORDS[:20])
    runs.start()
    assert runs.wait_for(20) == WORDS[:20]


def test_a_stream_that_cannot_be_listed_for_a_while_is_read_when_it_can(
    runs: Runs, stream: FakeStream
) -> None:
    stream.listing_troubles += [SourceError("away")] * 3
    stream.put("a", "hello")
    runs.start()
    assert runs.wait_for(1) == ["hello"]


def test_a_stream_made_again_is_read_from_its_beginning(
    runs: Runs, stream: FakeStream, store: Store
) -> None:
    stream.put("a", "old 1", "old 2")
    runs.start()
    runs.wait_for(2)
    with stream.lock:
        stream.born = 2.0
        stream.records = {"a": []}
    stream.put("a", "new 1", "new 2")
    assert runs.wait_for(4) == ["old 1", "old 2", "new 1", "new 2"]


def test_what_was_read_of_a_stream_is_delivered_though_it_is_made_again(
    runs: Runs, stream: FakeStream
) -> None:
    class Slow(FakeTarget):
        called = threading.Event()
        go_on = threading.Event()

        def execute(self, records: Sequence[Record]) -> Outcome:
            self.called.set()
            assert self.go_on.wait(10)
            return super().execute(records)

    target = runs.target = Slow()
    stream.put("a", *WORDS[:120])
    runs.start()
    assert target.called.wait(10)
    eventually(lambda: len(stream.limits) > 2)
    with stream.lock:
        stream.born = 2.0
        stream.records = {"a": []}
    stream.put("a", "new")
    eventually(lambda: stream.last_seen == stream.born)
    target.go_on.set()
    assert runs.wait_for(121) == [*WORDS[:120], "new"]


def test_a_stream_made_again_while_the_service_was_down_is_noticed(
    runs: Runs, stream: FakeStream, store: Store
) -> None:
    stream.put("a", "old")
    stream.closed.add("a")
    first = runs.start()
    runs.wait_for(1)
    assert eventually(lambda: store.checkpoints(PIPE.arn)["a"].finished)
    first.stop()
    assert first.join(10)
    stream.born, stream.closed, stream.records = 2.0, set(), {"a": []}
    stream.put("a", "new")
    runs.start()
    assert runs.wait_for(2) == ["old", "new"]


def test_a_position_that_the_stream_does_not_know_loses_nothing(
    runs: Runs, stream: FakeStream, store: Store
) -> None:
    stream.put("a", *WORDS[:3])
    first = runs.start()
    runs.wait_for(3)
    first.stop()
    assert first.join(10)
    store.advance(PIPE.arn, "a", "of another stream")
    runs.start()
    assert runs.wait_for(6) == WORDS[:3] * 2


def test_a_pipe_that_begins_at_a_time_leaves_out_what_came_earlier(
    runs: Runs, stream: FakeStream
) -> None:
    stream.put("a", "early", arrived=99.999)
    stream.put("a", "late", arrived=100.0)
    stream.put("a", "later", arrived=100.5)
    runs.start(position=Position(at=100.0))
    assert runs.wait_for(2) == ["late", "later"]


def test_a_window_gathers_records_into_one_batch(runs: Runs, stream: FakeStream) -> None:
    class Counting(FakeTarget):
        batches = 0

        def execute(self, records: Sequence[Record]) -> Outcome:
            self.batches += 1
            return super().execute(records)

    target = runs.target = Counting()
    stream.put("a", *WORDS[:10])
    runs.start(
        replace(
            PIPE,
            source_parameters={
                "KinesisStreamParameters": {
                    "StartingPosition": "TRIM_HORIZON",
                    "BatchSize": 20,
                    "MaximumBatchingWindowInSeconds": 300,
                }
            },
        )
    )
    eventually(lambda: len(stream.limits) > 2)
    stream.put("a", *WORDS[10:20])
    runs.wait_for(20)
    assert target.batches == 1


def test_latest_leaves_out_what_was_put_before_the_start(
    runs: Runs, stream: FakeStream, store: Store
) -> None:
    """Whatever our clock says: the source's is three seconds behind it."""
    stream.clock = time.time() - 3
    stream.put("a", "before", arrived=stream.clock)
    runs.start(position=LATEST)
    stream.put("a", "after", arrived=stream.clock)
    assert runs.wait_for(1) == ["after"]
    assert store.origin(PIPE.arn) == Origin(stream.born, Position(at=stream.clock))


def test_latest_is_the_first_start_also_after_a_restart_without_a_checkpoint(
    runs: Runs, stream: FakeStream
) -> None:
    stream.clock = 100.0
    stream.put("a", "before", arrived=99.0)
    first = runs.start(position=LATEST)
    first.stop()
    assert first.join(10)
    stream.put("a", "while it was down", arrived=101.0)
    runs.start()
    assert runs.wait_for(1) == ["while it was down"]


def test_a_shard_that_appears_after_the_start_at_latest_is_read_from_that_time_on(
    runs: Runs, stream: FakeStream
) -> None:
    stream.clock = 100.0
    runs.start(position=LATEST)
    stream.records["b"] = []
    stream.put("b", "early", arrived=99.0)
    stream.put("b", "late", arrived=100.0)
    stream.add_shard("b")
    assert runs.wait_for(1) == ["late"]


def test_a_start_at_latest_fails_when_the_stream_cannot_be_read_and_leaves_nothing(
    stream: FakeStream, store: Store
) -> None:
    stream.listing_troubles += [SourceError("away")] * LATEST_TRIES
    runner = stream_runner(stream, FakeTarget(), store, position=LATEST)
    with pytest.raises(SourceError, match="away"):
        runner.start()
    runner.stop()
    assert runner.join(0)
    runner = stream_runner(stream, FakeTarget(), store)
    runner.start()
    runner.stop()
    assert runner.join(10)


def threads_of_shard_a() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith(("deliver a", "read a"))]


def no_threads(monkeypatch: pytest.MonkeyPatch, name: str) -> Callable[[], int]:
    """Let no thread whose name begins with `name` start; how many tried to."""
    tried: list[str] = []
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(name):
            tried.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    return lambda: len(tried)


@pytest.mark.parametrize("thread", ["read a", "deliver a/0", "idle shards"])
def test_a_shard_whose_threads_cannot_be_started_is_tried_again(
    runs: Runs, stream: FakeStream, monkeypatch: pytest.MonkeyPatch, thread: str
) -> None:
    with monkeypatch.context() as patched:
        tried = no_threads(patched, thread)
        runs.start()
        eventually(tried)
    stream.put("a", "hello")
    assert runs.wait_for(1) == ["hello"]
    # What was started of the first tries has ended.
    eventually(lambda: sorted(threads_of_shard_a()) == ["deliver a/0", "read a"])


def test_a_pipe_whose_thread_cannot_be_started_can_be_stopped(
    stream: FakeStream, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = stream_runner(stream, FakeTarget(), store)
    with monkeypatch.context() as patched:
        no_threads(patched, "pipe ")
        with pytest.raises(RuntimeError):
            runner.start()
    runner.stop()
    assert runner.join(1)


def test_checkpoints_of_shards_that_are_not_listed_any_more_are_forgotten(
    runs: Runs, stream: FakeStream, store: Store
) -> None:
    stream.put("a", "old")
    stream.closed.add("a")
    stream.add_shard("b", "a")
    runs.start()
    runs.wait_for(1)
    eventually(lambda: any(point.finished for point in store.checkpoints(PIPE.arn).values()))
    with stream.lock:
        stream.listed[:] = [Shard("b", ("a",))]
    eventually(lambda: "a" not in store.checkpoints(PIPE.arn))
    stream.put("b", "new")
    assert runs.wait_for(2) == ["old", "new"]


class FullStore(Store):
    """Refuses one kind of write so many times."""

    def __init__(self, directory: Path, refused: str) -> None:
        super().__init__(directory)
        self.refused, self.times = refused, 3

    def _refuse(self, write: str) -> None:
        if write == self.refused and self.times:
            self.times -= 1
            raise StateError("database or disk is full")

    def finish(self, pipe: str, shard: str) -> None:
        self._refuse("finish")
        super().finish(pipe, shard)

    def forget(self, pipe: str, shard: str) -> None:
        self._refuse("forget")
        super().forget(pipe, shard)

    def set_origin(self, pipe: str, origin: Origin) -> None:
        if origin.stream_created == 2.0:
            self._refuse("begin")
        super().set_origin(pipe, origin)


@pytest.fixture
def full(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FullStore]:
    store = FullStore(tmp_path / "full", request.param)
    yield store
    store.close()


@pytest.mark.parametrize("full", ["finish"], indirect=True)
def test_the_end_of_a_shard_that_cannot_be_stored_is_stored_later(
    stream: FakeStream, full: FullStore
) -> None:
    stream.put("a", "parent")
    stream.closed.add("a")
    stream.add_shard("b", "a")
    stream.put("b", "child")
    with running(Runs(stream, full)) as runs:
        runs.start()
        assert runs.wait_for(2) == ["parent", "child"]
        assert full.checkpoints(PIPE.arn)["a"].finished
    assert not full.times


@pytest.mark.parametrize("full", ["begin"], indirect=True)
def test_a_new_beginning_that_cannot_be_stored_is_stored_later(
    stream: FakeStream, full: FullStore
) -> None:
    stream.put("a", "old")
    with running(Runs(stream, full)) as runs:
        runs.start()
        runs.wait_for(1)
        with stream.lock:
            stream.born = 2.0
            stream.records = {"a": []}
        stream.put("a", "new")
        assert runs.wait_for(2) == ["old", "new"]
        assert full.origin(PIPE.arn) == Origin(2.0, Position())
    assert not full.times


@pytest.mark.parametrize("full", ["forget"], indirect=True)
def test_a_lost_position_that_cannot_be_forgotten_is_forgotten_later(
    stream: FakeStream, full: FullStore
) -> None:
    stream.put("a", "word")
    full.set_origin(PIPE.arn, Origin(stream.born, Position()))
    full.advance(PIPE.arn, "a", "of another stream")
    with running(Runs(stream, full)) as runs:
        runs.start()
        assert runs.wait_for(1) == ["word"]
    assert not full.times


SPLIT = [Shard("0"), Shard("1", ("0",)), Shard("2", ("0",))]
MERGE = [Shard("0"), Shard("1"), Shard("2", ("0", "1"))]


def ids(shards: list[Shard]) -> list[str]:
    return [shard.id for shard in shards]


def test_children_wait_for_their_parent() -> None:
    assert ids(shards_to_read(SPLIT, finished=[], reading=[])) == ["0"]
    assert ids(shards_to_read(SPLIT, finished=[], reading=["0"])) == []
    assert ids(shards_to_read(SPLIT, finished=["0"], reading=[])) == ["1", "2"]


def test_the_child_of_a_merge_waits_for_both_parents() -> None:
    assert ids(shards_to_read(MERGE, finished=["0"], reading=["1"])) == []
    assert ids(shards_to_read(MERGE, finished=["0", "1"], reading=[])) == ["2"]


def test_a_parent_past_its_retention_holds_nobody_up() -> None:
    assert ids(shards_to_read(SPLIT[1:], finished=[], reading=[])) == ["1", "2"]


def test_a_parent_that_is_gone_but_still_worked_on_is_waited_for() -> None:
    assert ids(shards_to_read(SPLIT[1:], finished=[], reading=["0"])) == []


def test_what_is_being_read_is_not_started_again() -> None:
    assert ids(shards_to_read([Shard("0"), Shard("1")], finished=[], reading=["1"])) == ["0"]


@st.composite
def lineages(draw: st.DrawFn) -> list[Shard]:
    """A stream's shards: each has no parents, or one or two among the earlier ones."""
    shards: list[Shard] = []
    for number in range(draw(st.integers(1, 12))):
        parents = draw(st.sets(st.sampled_from(shards), max_size=2)) if shards else set()
        shards.append(Shard(str(number), tuple(sorted(parent.id for parent in parents))))
    return shards


@given(lineages(), st.data())
def test_every_shard_is_read_once_and_after_its_parents(
    shards: list[Shard], data: st.DataObject
) -> None:
    parents = {shard.id: set(shard.parents) for shard in shards}
    finished: list[str] = []
    reading: set[str] = set()
    while len(finished) < len(shards):
        for shard in shards_to_read(shards, finished, reading):
            assert parents[shard.id] <= set(finished)
            assert shard.id not in reading
            reading.add(shard.id)
        assert reading, "somebody must be at work until all is read"
        done = data.draw(st.sampled_from(sorted(reading)))
        reading.remove(done)
        finished.append(done)
    assert sorted(finished) == sorted(parents)
