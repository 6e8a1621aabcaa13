"""How large everything has to be: functions of the workload and of what was measured. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from inventory_cli.planning.book import Measured
from inventory_cli.planning.workload import Workload

MIB = 1024 * 1024

SHARD_RECORDS, SHARD_WRITES, SHARD_READS = 1_000, MIB, 2 * MIB
"""A second. https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html"""

FILL = 0.8
"""How full a shard may be: products are not spread evenly, and load is not steady."""

BUSY = 0.7
"""How busy a lane may be: what is left is for catching up."""

MOST_LANES = 10
MOST_RECORDS = 10_000
MOST_PAYLOAD = 6 * MIB
"""Of ParallelizationFactor, BatchSize and an invocation."""

POLL = 1.0
"""Seconds between two reads of a shard: what Lambda documents of its own pollers, and what is
taken here for those of pipes. https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html"""

MEMORIES = (256, 512, 1_024, 1_769)
ONE_CORE = 1_769
"""MB at which a function has a whole core; one of less has its part of it.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

READ_SECONDS, WRITE_SECONDS = 0.010, 0.050
"""Of a BatchGetItem of 100 keys, and a TransactWriteItems of 100 items: assumed, not measured."""

CALL_ITEMS, CALLS_AT_ONCE = 100, 4
"""As the function calls DynamoDB (`processor.handler`, TABLE_CALLS)."""

ROW_FRAME, EVENT_FRAME = 777, 140
"""Bytes of a row besides the product's own values, with 24 event ids; and of an event."""


@dataclass(frozen=True)
class Lane:
    """One lane of one shard: who delivers its batches, and how that goes.

    `records` are in a batch, `distinct` of them of different products, `seconds` an invocation.
    """

    rate: float
    records: float
    distinct: float
    items: float
    seconds: float

    @property
    def invocations(self) -> float:
        return self.rate / self.records

    @property
    def busy(self) -> float:
        return self.invocations * self.seconds


@dataclass(frozen=True)
class Sizing:
    """What to set, and how it would run."""

    shards: int
    factor: int
    batch: int
    window: int
    memory: int
    row_bytes: int
    lane: Lane
    hottest_busy: float
    """Of the lane with the hottest product: above 1 it falls behind."""

    @property
    def lanes(self) -> int:
        return self.shards * self.factor

    @property
    def invocations(self) -> float:
        return self.lanes * self.lane.invocations

    @property
    def concurrency(self) -> float:
        return self.lanes * self.lane.busy

    @property
    def write_units(self) -> float:
        """A second: an item of a transaction is two units for each KB begun."""
        return self.invocations * self.lane.items * self.item_units

    @property
    def item_units(self) -> int:
        return 2 * math.ceil(self.row_bytes / 1024)

    @property
    def read_units(self) -> float:
        """A second: a consistent read is one unit for each 4 KB begun. A product without a row is
        looked up in the table of removals too."""
        return self.invocations * self.lane.items * math.ceil(self.row_bytes / 4096)

    @property
    def key_units(self) -> float:
        """A second, of one product that is in every batch of its lane."""
        return max(1.0, self.lane.invocations) * self.item_units

    @property
    def period(self) -> float:
        return max(POLL, self.window)

    @property
    def typical_latency(self) -> float:
        return self.period / 2 + self.lane.seconds

    @property
    def high_latency(self) -> float:
        return self.period + self.lane.seconds / (1 - self.lane.busy)

    @property
    def gigabyte_seconds(self) -> float:
        return self.concurrency * self.memory / 1024


def hot_rate(workload: Workload) -> float:
    """Events a second of the hottest product, all of them in one lane of one shard."""
    return workload.events_per_second * workload.hottest_share


def shards_for(workload: Workload) -> int:
    return max(
        1,
        math.ceil(workload.events_per_second / (SHARD_RECORDS * FILL)),
        math.ceil(workload.bytes_per_second / (SHARD_WRITES * FILL)),
    )


def payload_bytes(workload: Workload, measured: Measured) -> float:
    """Of a record in an invocation: its event in base64, and what is around it."""
    return measured.payload_bytes_around_an_event + workload.event_bytes * 4 / 3


def sized(workload: Workload, measured: Measured) -> Sizing:
    """The fewest lanes that meet the latency, with the least function time; where none do, the
    quickest.

    Each lane may be an execution of the pipe and one of the function, of which an account has only
    so many. More memory costs more a second, and takes fewer of them.
    """
    shards = shards_for(workload)
    while True:
        fit = list(_candidates(workload, measured, shards))
        if fit:
            fit = [each for each in fit if each.hottest_busy <= 1] or fit
            quick = [each for each in fit if each.high_latency <= workload.latency]
            if quick:
                return min(quick, key=lambda each: (each.lanes, each.gigabyte_seconds))
            return min(fit, key=lambda each: (each.high_latency, each.gigabyte_seconds))
        shards *= 2


def _candidates(workload: Workload, measured: Measured, shards: int) -> Iterator[Sizing]:
    longest = max(0, math.floor(workload.latency))
    windows = sorted({0, longest // 2, longest - 1, longest} - {-1})
    row = ROW_FRAME + max(0, workload.event_bytes - EVENT_FRAME)
    for factor in range(1, MOST_LANES + 1):
        for memory in MEMORIES:
            for window in windows:
                batch = _batch(workload, measured, shards * factor, window)
                usual = workload.events_per_second / (shards * factor)
                lane, hot = (
                    _lane(rate, workload, measured, shards * factor, batch, window, memory)
                    for rate in (usual, usual + _into_one_shard(workload))
                )
                if lane.busy <= BUSY:
                    yield Sizing(shards, factor, batch, window, memory, row, lane, hot.busy)


def _into_one_shard(workload: Workload) -> float:
    """What of the hottest product's events a shard takes."""
    return min(hot_rate(workload), SHARD_RECORDS, SHARD_WRITES / workload.event_bytes)


def _batch(workload: Workload, measured: Measured, lanes: int, window: int) -> int:
    """BatchSize: twice what comes meanwhile, so that a backlog shrinks, within AWS's limits."""
    wanted = 2 * workload.events_per_second / lanes * max(POLL, window)
    fitting = MOST_PAYLOAD / payload_bytes(workload, measured)
    return max(1, math.floor(min(MOST_RECORDS, fitting, max(100, wanted))))


def _lane(
    rate: float,
    workload: Workload,
    measured: Measured,
    lanes: int,
    batch: int,
    window: int,
    memory: int,
) -> Lane:
    records = min(batch, max(1.0, rate * max(POLL, window)))
    products = max(1.0, workload.products / lanes)
    distinct = products * -math.expm1(records * math.log1p(-1 / products)) if products > 1 else 1.0
    distinct = min(records, distinct)
    items = distinct * (1 + workload.turnover)
    slower = max(1.0, ONE_CORE / memory)
    seconds = (
        slower * (measured.invocation_seconds + records * measured.record_seconds)
        + (_rounds(distinct) + _rounds(items - distinct)) * READ_SECONDS
        + _rounds(items) * WRITE_SECONDS
    )
    return Lane(rate, records, distinct, items, seconds)


def _rounds(items: float) -> int:
    """How many times calls are made one after the other."""
    return math.ceil(math.ceil(items / CALL_ITEMS) / CALLS_AT_ONCE)
