"""The shards, lanes, memory and table units that a load needs. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

MIB = 1024 * 1024
SHARD_RECORDS, SHARD_BYTES = 1_000, MIB
"""That a shard takes in a second."""

FILL = 0.8
"""The share of a shard that is planned: products are not spread evenly, nor is load steady."""

BUSY = 0.7
"""The share of its time that a lane works. It needs the rest to catch up."""

MOST_LANES, MOST_RECORDS, MOST_PAYLOAD = 10, 10_000, 6 * MIB
"""Of ParallelizationFactor, BatchSize and an invocation."""

POLL_SECONDS = 1.0
"""Time between two reads of a shard. Lambda documents it for its pollers; for those of pipes it is
assumed. https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html"""

MEMORIES = (256, 512, 1_024, 1_769)
ONE_CORE = 1_769
"""MB at which a function has a whole core. With less it has a part of one.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

INVOCATION_SECONDS, RECORD_SECONDS = 0.0005, 0.0001
PAYLOAD_AROUND_EVENT, LOG_BYTES = 544, 1_243
"""Of an invocation and of a record in it, measured by `make bench-function` on one core of a Linux
x86-64 machine with Python 3.11 on 2026-11-27."""

READ_SECONDS, WRITE_SECONDS = 0.010, 0.050
"""Of a BatchGetItem of 100 keys, and a TransactWriteItems of 100 items: assumed, not measured."""

CALL_ITEMS, CALLS_AT_ONCE = 100, 4
"""How the function calls DynamoDB."""

ROW_BYTES, EVENT_BYTES = 777, 140
"""Of a row with 24 event ids, and of an event, without the product's own values."""


@dataclass(frozen=True)
class Load:
    """A steady load. `hottest` and `turnover` are shares of the events: those of the busiest
    product, and those that add or remove a row. `window` is BatchingWindowSeconds."""

    events_per_second: float
    products: int
    event_bytes: int
    hottest: float = 0.0
    turnover: float = 0.2
    window: int = 0

    @property
    def hottest_per_second(self) -> float:
        return self.events_per_second * max(self.hottest, 1 / self.products)


@dataclass(frozen=True)
class Lane:
    """One of the lanes of a shard. It delivers one batch at a time.

    It gets `rate` records a second. A batch has `records`, writes `items` and takes `seconds`.
    """

    rate: float
    records: float
    items: float
    seconds: float

    @property
    def busy(self) -> float:
        return self.rate / self.records * self.seconds


@dataclass(frozen=True)
class Capacity:
    """A choice of shards, lanes in each (`factor`) and memory in MB, and how it runs."""

    load: Load
    shards: int
    factor: int
    memory: int

    @property
    def lanes(self) -> int:
        return self.shards * self.factor

    @property
    def period(self) -> float:
        """Seconds in which the records of a batch arrive."""
        return max(POLL_SECONDS, self.load.window)

    @property
    def payload_bytes(self) -> float:
        """Of a record in an invocation, which has the event in base64."""
        return PAYLOAD_AROUND_EVENT + self.load.event_bytes * 4 / 3

    @property
    def batch(self) -> int:
        """Twice the usual records, so that a backlog shrinks, within AWS's limits."""
        wanted = max(100, 2 * self.load.events_per_second / self.lanes * self.period)
        return max(1, math.floor(min(wanted, MOST_RECORDS, MOST_PAYLOAD / self.payload_bytes)))

    @property
    def row_bytes(self) -> int:
        return ROW_BYTES + max(0, self.load.event_bytes - EVENT_BYTES)

    @property
    def slowdown(self) -> float:
        return max(1.0, ONE_CORE / self.memory)

    @cached_property
    def lane(self) -> Lane:
        return self._lane(self.load.events_per_second / self.lanes)

    @cached_property
    def hottest_lane(self) -> Lane:
        """The lane of the busiest product, whose events are all in one shard."""
        one_shard = min(SHARD_RECORDS, SHARD_BYTES / self.load.event_bytes)
        return self._lane(self.lane.rate + min(self.load.hottest_per_second, one_shard))

    def _lane(self, rate: float) -> Lane:
        records = min(self.batch, max(1.0, rate * self.period))
        products = _distinct(records, max(1.0, self.load.products / self.lanes))
        items = products * (1 + self.load.turnover)
        rounds = _rounds(products) + _rounds(items - products)
        seconds = (
            self.slowdown * (INVOCATION_SECONDS + records * RECORD_SECONDS)
            + rounds * READ_SECONDS
            + _rounds(items) * WRITE_SECONDS
        )
        return Lane(rate, records, items, seconds)

    @property
    def invocations(self) -> float:
        """In a second, as are the rates below."""
        return self.lanes * self.lane.rate / self.lane.records

    @property
    def concurrency(self) -> float:
        return self.lanes * self.lane.busy

    @property
    def gigabyte_seconds(self) -> float:
        return self.concurrency * self.memory / 1024

    @property
    def item_units(self) -> int:
        """An item of a transaction takes two units for each KB or part of one."""
        return 2 * math.ceil(self.row_bytes / 1024)

    @property
    def write_units(self) -> float:
        return self.invocations * self.lane.items * self.item_units

    @property
    def hottest_write_units(self) -> float:
        """However many events a product has, a batch writes it once."""
        batches = self.lane.rate / self.lane.records
        return min(max(1.0, batches), max(1.0, self.load.hottest_per_second)) * self.item_units

    @property
    def read_units(self) -> float:
        """A consistent read takes one unit for each 4 KB or part of them. The function looks up
        products without a row in the table of removals too."""
        return self.invocations * self.lane.items * math.ceil(self.row_bytes / 4096)

    @property
    def typical_latency(self) -> float:
        return self.period / 2 + self.lane.seconds

    @property
    def high_latency(self) -> float:
        return self.period + self.lane.seconds / (1 - self.lane.busy)


def smallest(load: Load) -> Capacity:
    """Return the capacity with the fewest lanes, and among those the least function time.

    Each lane may take an execution of the pipe and one of the function, whose number an account
    limits.
    """
    bytes_per_second = load.events_per_second * load.event_bytes
    shards = math.ceil(
        max(load.events_per_second / SHARD_RECORDS, bytes_per_second / SHARD_BYTES) / FILL
    )
    while True:
        choices = [
            Capacity(load, shards, factor, memory)
            for factor in range(1, MOST_LANES + 1)
            for memory in MEMORIES
        ]
        if fit := [each for each in choices if each.lane.busy <= BUSY]:
            keep_up = [each for each in fit if each.hottest_lane.busy <= 1]
            return min(keep_up or fit, key=lambda each: (each.lanes, each.gigabyte_seconds))
        shards *= 2


def _distinct(records: float, products: float) -> float:
    """How many of the products are in so many records, on average."""
    if products <= 1:
        return 1.0
    return min(records, products * -math.expm1(records * math.log1p(-1 / products)))


def _rounds(items: float) -> int:
    """How many times calls are made one after the other."""
    return math.ceil(items / CALL_ITEMS / CALLS_AT_ONCE)
