"""A pipe's threads over a stream in memory: what is read, in which order, whatever goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from eventbridge_pipes.outcome import Outcome, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.position import Position
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.shards import Shard
from eventbridge_pipes.runners.stream import Supervisor
from eventbridge_pipes.sources.source import ExpiredIteratorError, SourceError, ThrottledError
from eventbridge_pipes.store import Store
from pipes_fakes import FakeStream, FakeTarget, supervised
from pipes_samples import PIPE
from waiting import eventually

WORDS = [f"word {number}" for number in range(250)]


class Runs:
    """Starts supervisors, and ends those that a test leaves running."""

    def __init__(self, stream: FakeStream, store: Store) -> None:
        self.stream = stream
        self.store = store
        self.target = FakeTarget()
        self._started: list[Supervisor] = []

    def start(self, pipe: Pipe = PIPE, position: Position | None = None) -> Supervisor:
        supervisor = supervised(self.stream, self.target, self.store, pipe, position or Position())
        self._started.append(supervisor)
        supervisor.start()
        return supervisor

    def stop(self) -> None:
        for supervisor in self._started:
            supervisor.stop()
            assert supervisor.join(10)

    def wait_for(self, count: int) -> list[str]:
        eventually(lambda: len(self.target.delivered) >= count, timeout=10)
        return self.target.delivered


@pytest.fixture
def runs(stream: FakeStream, store: Store) -> Iterator[Runs]:
    runs = Runs(stream, store)
    yield runs
    runs.stop()


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
        def carry(self, records: Sequence[Record]) -> Outcome:
            super().carry(records)
            return all_failed(records, "refused")

    stream.put("a", *WORDS[:10])
    runs.target = Refusing()
    runs.start()
    runs.wait_for(30)
    assert store.checkpoints(PIPE.name) == {}


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
    assert eventually(lambda: store.checkpoints(PIPE.name)["a"].finished)


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

        def carry(self, records: Sequence[Record]) -> Outcome:
            self.called.set()
            assert self.go_on.wait(10)
            return super().carry(records)

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
    assert eventually(lambda: store.checkpoints(PIPE.name)["a"].finished)
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
    store.advance(PIPE.name, "a", "of another stream")
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

        def carry(self, records: Sequence[Record]) -> Outcome:
            self.batches += 1
            return super().carry(records)

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
