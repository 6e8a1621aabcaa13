"""A pipe with several lanes a shard, and one with filters, over a stream in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from eventbridge_pipes.outcome import Outcome, all_failed
from eventbridge_pipes.pattern import Filter, Pattern
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.lanes import lane_of
from eventbridge_pipes.sources.kinds import SourceKind
from eventbridge_pipes.store import Store
from eventbridge_pipes.telemetry.metrics import PipeTelemetry
from pipes_fakes import FakeStream, FakeTarget, supervised
from pipes_samples import PIPE
from pipes_telemetry import counted
from waiting import eventually

LANES = 4
KEYS = [f"key {n}" for n in range(12)]


def with_parameters(**members: Any) -> Pipe:
    stream = {"StartingPosition": "TRIM_HORIZON", **members}
    return replace(PIPE, source_parameters={"KinesisStreamParameters": stream})


@contextmanager
def running(
    stream: FakeStream, target: FakeTarget, store: Store, pipe: Pipe, **options: Any
) -> Iterator[None]:
    supervisor = supervised(stream, target, store, pipe, **options)
    supervisor.start()
    try:
        yield
    finally:
        supervisor.stop()
        assert supervisor.join(10)


class Holding(FakeTarget):
    """Fails whatever has the stuck key in it, as often as it comes."""

    def __init__(self, stuck: str) -> None:
        super().__init__()
        self.stuck = stuck

    def carry(self, records: Sequence[Record]) -> Outcome:
        if any(record.partition_key == self.stuck for record in records):
            return all_failed(records, "stuck")
        return super().carry(records)


def test_lanes_deliver_everything_each_key_in_its_order(stream: FakeStream, store: Store) -> None:
    target = FakeTarget()
    for number in range(50):
        for key in KEYS:
            stream.put("a", f"{key}/{number}", key=key)
    pipe = with_parameters(ParallelizationFactor=LANES, BatchSize=7)
    with running(stream, target, store, pipe):
        eventually(lambda: len(target.delivered) == 600)
    for key in KEYS:
        of_key = [word for word in target.delivered if word.startswith(f"{key}/")]
        assert of_key == [f"{key}/{number}" for number in range(50)]


def test_a_lane_that_fails_holds_up_its_own_keys_and_the_position_alone(
    stream: FakeStream, store: Store
) -> None:
    stuck = KEYS[0]
    target = Holding(stuck)
    free = [key for key in KEYS if lane_of(key, LANES) != lane_of(stuck, LANES)]
    stream.put("a", "first", key=free[0])
    stream.put("a", "stuck", key=stuck)
    stream.put("a", *free, key=free[0])
    pipe = with_parameters(ParallelizationFactor=LANES, BatchSize=1)
    with running(stream, target, store, pipe):
        eventually(lambda: len(target.delivered) == 1 + len(free))
        first = stream.records["a"][0].sequence_number
        eventually(lambda: store.checkpoints(PIPE.name)["a"].sequence_number == first)
        # The next run, with a target that takes everything, begins with the record that was stuck.
    again = FakeTarget()
    with running(stream, again, store, pipe):
        eventually(lambda: "stuck" in again.delivered)
    assert "first" not in again.delivered


def test_what_the_filter_leaves_out_is_not_delivered_and_moves_the_position(
    stream: FakeStream, store: Store
) -> None:
    target = FakeTarget()
    wanted = Filter([Pattern.parse('{"partitionKey": ["wanted"]}', SourceKind.KINESIS)])
    for number in range(20):
        key = "wanted" if number % 7 == 3 else "unwanted"
        stream.put("a", f'{{"partitionKey": "{key}", "data": "", "n": {number}}}', key=key)
    with running(stream, target, store, PIPE, filter_=wanted):
        eventually(lambda: len(target.delivered) == 3)
        last = stream.records["a"][-1].sequence_number
        eventually(lambda: store.checkpoints(PIPE.name)["a"].sequence_number == last)
        for number in range(5):
            stream.put("a", f'{{"partitionKey": "unwanted", "data": "", "n": {number}}}')
        last = stream.records["a"][-1].sequence_number
        eventually(lambda: store.checkpoints(PIPE.name)["a"].sequence_number == last)
    assert all('"wanted"' in body for body in target.delivered)


def test_the_lag_of_a_shard_is_the_age_of_its_oldest_record_that_is_not_done_with(
    stream: FakeStream, store: Store
) -> None:
    telemetry = PipeTelemetry(PIPE.name)

    def lag() -> float:
        return counted(telemetry, "shard_lag_seconds", shard="a") or 0.0

    stream.put("a", "old", arrived=time.time() - 100, key="stuck")
    with running(stream, Holding("stuck"), store, PIPE, telemetry=telemetry):
        eventually(lambda: 100 <= lag() < 200)
    store.forget(PIPE.name, "a")
    with running(stream, FakeTarget(), store, PIPE, telemetry=telemetry):
        eventually(lambda: counted(telemetry, "shard_lag_seconds", shard="a") == 0)
