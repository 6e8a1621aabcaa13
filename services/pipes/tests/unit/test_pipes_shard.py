"""One shard: how it is read, its lanes and its filters, over a stream in memory."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.outcome import Outcome, all_failed
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import OLDEST, Record
from eventbridge_pipes.runners.backlog import lane_of
from eventbridge_pipes.runners.idle import EARLY_SHARE
from eventbridge_pipes.runners.shard import (
    FIRST_PAGE_RECORDS,
    PAGE_BYTES,
    THROTTLED_PAUSE,
    ShardReader,
    limit_after,
)
from eventbridge_pipes.sources.kinesis import KIND as KINESIS
from eventbridge_pipes.sources.source import (
    Page,
    PageTooLargeError,
    PendingPage,
    ThrottledError,
)
from eventbridge_pipes.store import Store
from eventbridge_pipes.telemetry.metrics import PipeTelemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_fakes import FakeShard, FakeStream, FakeTarget, context_by, stream_runner
from pipes_samples import PIPE, record, records
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
    runner = stream_runner(stream, target, store, pipe, **options)
    runner.start()
    try:
        yield
    finally:
        runner.stop()
        assert runner.join(10)


class Holding(FakeTarget):
    """Fails whatever has the stuck key in it, as often as it comes."""

    def __init__(self, stuck: str) -> None:
        super().__init__()
        self.stuck = stuck

    def execute(self, records: Sequence[Record]) -> Outcome:
        if any(record.partition_key == self.stuck for record in records):
            return all_failed(records, "stuck")
        return super().execute(records)


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
        eventually(lambda: store.checkpoints(PIPE.arn)["a"].sequence_number == first)
        # The next run, with a target that takes everything, begins with the record that was stuck.
    again = FakeTarget()
    with running(stream, again, store, pipe):
        eventually(lambda: "stuck" in again.delivered)
    assert "first" not in again.delivered


def test_what_the_filter_leaves_out_is_not_delivered_and_moves_the_position(
    stream: FakeStream, store: Store
) -> None:
    target = FakeTarget()
    wanted = Filter.parse(['{"partitionKey": ["wanted"]}'], KINESIS)
    for number in range(20):
        key = "wanted" if number % 7 == 3 else "unwanted"
        stream.put("a", f'{{"partitionKey": "{key}", "data": "", "n": {number}}}', key=key)
    with running(stream, target, store, PIPE, filter_=wanted):
        eventually(lambda: len(target.delivered) == 3)
        last = stream.records["a"][-1].sequence_number
        eventually(lambda: store.checkpoints(PIPE.arn)["a"].sequence_number == last)
        for number in range(5):
            stream.put("a", f'{{"partitionKey": "unwanted", "data": "", "n": {number}}}')
        last = stream.records["a"][-1].sequence_number
        eventually(lambda: store.checkpoints(PIPE.arn)["a"].sequence_number == last)
    assert all('"wanted"' in body for body in target.delivered)


def test_the_lag_of_a_shard_is_the_age_of_its_oldest_record_that_is_not_done_with(
    stream: FakeStream, store: Store
) -> None:
    telemetry = PipeTelemetry(PIPE.arn, PrometheusMetrics())

    def lag() -> float:
        return counted(telemetry, "shard_lag_seconds", shard="a") or 0.0

    stream.put("a", "old", arrived=time.time() - 100, key="stuck")
    with running(stream, Holding("stuck"), store, PIPE, telemetry=telemetry):
        eventually(lambda: 100 <= lag() < 200)
    store.forget(PIPE.arn, "a")
    with running(stream, FakeTarget(), store, PIPE, telemetry=telemetry):
        eventually(lambda: counted(telemetry, "shard_lag_seconds", shard="a") == 0)


def test_a_key_that_always_fails_starves_no_other_lane(stream: FakeStream, store: Store) -> None:
    stuck, free = KEYS[0], next(k for k in KEYS if lane_of(k, 2) != lane_of(KEYS[0], 2))
    for number in range(100):
        stream.put("a", f"stuck {number}", key=stuck)
        stream.put("a", f"{number}", key=free)
    target = Holding(stuck)
    pipe = with_parameters(ParallelizationFactor=2, BatchSize=10)
    with running(stream, target, store, pipe):
        eventually(lambda: target.delivered == [f"{number}" for number in range(100)])


def test_a_shard_is_read_when_there_is_room_for_what_it_gives(
    stream: FakeStream, store: Store
) -> None:
    """Only the batch at the target, one more, and a page leave the stream."""
    target = Holding(KEYS[0])
    stream.put("a", *map(str, range(1000)), key=KEYS[0])
    with running(stream, target, store, with_parameters(BatchSize=5)):
        eventually(lambda: stream.limits)
        time.sleep(0.3)
        assert stream.limits == [FIRST_PAGE_RECORDS]


def reader_of(kind: type[FakeShard], stream: FakeStream, store: Store) -> ShardReader:
    """A reader of shard `a` from its oldest record on."""

    class OfKind(FakeStream):
        def shard(self, shard_id: str) -> FakeShard:
            return kind(stream, shard_id)

    shared = context_by(OfKind(), FakeTarget(), store)
    return ShardReader(shared, "a", OLDEST, "")


def test_a_page_that_is_too_large_is_requested_again_with_half_as_many_records(
    stream: FakeStream, store: Store
) -> None:
    class Large(FakeShard):
        def page(self, iterator: str, limit: int) -> Page:
            page = super().page(iterator, limit)
            if limit > 3:
                raise PageTooLargeError("the answer is too large")
            return page

    stream.put("a", *"abcdef")
    reader = reader_of(Large, stream, store)
    found = [page.records for page in (reader.read() for _ in range(4)) if page]
    assert stream.limits == [10, 5, 2, 20]
    assert [r.body for page in found for r in page] == ["a", "b"]


def test_a_shard_that_throttles_is_read_at_most_five_times_a_second_from_then_on(
    stream: FakeStream, store: Store
) -> None:
    times: list[float] = []

    class Timed(FakeShard):
        def begin_read(self, iterator: str, limit: int) -> PendingPage:
            times.append(time.monotonic())
            return super().begin_read(iterator, limit)

    stream.put("a", *map(str, range(FIRST_PAGE_RECORDS + 1)))
    stream.troubles += [ThrottledError("too often")]
    reader = reader_of(Timed, stream, store)
    for _ in range(4):
        reader.read()
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(pauses) == 3
    assert min(pauses) >= 0.2
    assert THROTTLED_PAUSE * (1 - EARLY_SHARE) >= 0.2


def test_the_first_page_is_small(store: Store) -> None:
    assert context_by(FakeStream(), FakeTarget(), store).page_limit == 10


def test_small_records_are_requested_by_the_largest_page_in_some_steps() -> None:
    limit = FIRST_PAGE_RECORDS
    requested = []
    for _ in range(4):
        limit = limit_after(records(3), limit)
        requested.append(limit)
    assert requested == [100, 1000, 10_000, 10_000]


@given(st.lists(st.integers(1, 2 * PAGE_BYTES), min_size=1, max_size=5))
def test_no_more_is_requested_than_fits_when_the_records_are_like_the_last_ones(
    sizes: list[int],
) -> None:
    page = [record(number, size=size) for number, size in enumerate(sizes)]
    limit = limit_after(page, FIRST_PAGE_RECORDS)
    assert limit >= 1
    mean = sum(r.size for r in page) // len(page)
    assert limit == 1 or limit * mean <= PAGE_BYTES
