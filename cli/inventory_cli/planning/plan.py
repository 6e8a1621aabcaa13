"""The plan of a load: capacity, quotas and monthly cost, each with its formula. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory_cli.planning.capacity import (
    FILL,
    INVOCATION_SECONDS,
    LOG_BYTES,
    POLL_SECONDS,
    READ_SECONDS,
    RECORD_SECONDS,
    SHARD_BYTES,
    SHARD_RECORDS,
    WRITE_SECONDS,
    Capacity,
    Load,
    smallest,
)

HOURS = 730
SECONDS = HOURS * 3_600
GB = 1024**3
PIPE_CHUNK = 64 * 1024
PUT_UNIT = 25 * 1024
METRICS = 9
"""How many metrics the function writes."""


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    formula: str


@dataclass(frozen=True)
class Quota:
    """An AWS quota, and what the load needs of it. `raise_at` is None if AWS never raises it."""

    name: str
    needed: float
    limit: float
    raise_at: str | None
    source: str

    @property
    def fits(self) -> bool:
        return self.needed <= self.limit


@dataclass(frozen=True)
class Plan:
    load: Load
    region: str
    capacity: list[Figure]
    quotas: list[Quota]
    dollars_a_month: list[Figure]
    notes: list[str]


def make_plan(load: Load, region: str) -> Plan:
    size, quotas, prices = smallest(load), _data("quotas"), _data("prices")
    costs = list(_costs(size, prices["dollars"]))
    total = sum(cost.value for cost in costs)
    per_million = total / (load.events_per_second * SECONDS / 1e6)
    costs.append(Figure("total", total, f"{per_million:,.4f} for a million events"))
    notes = [
        f"Prices of {prices['region']}: {prices['source']}, {prices['read']}.",
        f"Quotas: the defaults of an account, {quotas['read']}.",
        f"Assumed: a shard is read every {POLL_SECONDS:g} s; a read of the table takes "
        f"{READ_SECONDS * 1000:g} ms, a write {WRITE_SECONDS * 1000:g} ms.",
        "Not included: free tiers, taxes, discounts, retries, rejected events, dead letters, the "
        "alerts function, other readers of the stream or table, and the cost while idle.",
    ]
    uses = list(_quotas(size, quotas["quotas"], region))
    return Plan(load, region, list(_capacity(size)), uses, costs, notes)


def _data(name: str) -> Any:
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8"))


def _capacity(size: Capacity) -> Iterator[Figure]:
    lane = size.lane
    items = f"batches/s x {lane.items:,.1f} items"
    yield Figure(
        "shards",
        size.shards,
        f"the larger of events/s / {SHARD_RECORDS * FILL:,.0f} and bytes/s / "
        f"{SHARD_BYTES * FILL:,.0f}",
    )
    yield Figure("ParallelizationFactor", size.factor, f"lanes of a shard, {size.lanes:,} in all")
    yield Figure("batch size", size.batch, f"twice the records of {size.period:g} s, up to 6 MiB")
    yield Figure("batches/s", size.invocations, f"{lane.records:,.1f} records in each")
    yield Figure("memory, MB", size.memory, "the least function time of 256 to 1,769 MB")
    yield Figure(
        "invocation, s",
        lane.seconds,
        f"{size.slowdown:.2f} x ({INVOCATION_SECONDS:g} + {lane.records:,.1f} x "
        f"{RECORD_SECONDS:g}) + calls to the table",
    )
    yield Figure("concurrency", size.concurrency, f"batches/s x seconds, at most {size.lanes:,}")
    yield Figure(
        "busiest lane, %",
        100 * size.hottest_lane.busy,
        "the time that the lane of the busiest product works; above 100 it falls behind",
    )
    yield Figure(
        "write units/s",
        math.ceil(size.write_units),
        f"{items} x {size.item_units} units; {size.write_units / size.load.events_per_second:.2f} "
        "for an event",
    )
    yield Figure("read units/s", math.ceil(size.read_units), items)
    yield Figure("typical latency, s", size.typical_latency, f"{size.period:g} / 2 + invocation")
    yield Figure(
        "high latency, s",
        size.high_latency,
        f"{size.period:g} + invocation / (1 - {lane.busy:.2f} busy)",
    )


def _quotas(size: Capacity, quotas: dict[str, Any], region: str) -> Iterator[Quota]:
    hottest = size.load.hottest_per_second
    shard = hottest + (size.load.events_per_second - hottest) / size.shards
    needed = {
        "shards": size.shards,
        "shard_records": shard,
        "shard_bytes": shard * size.load.event_bytes,
        "pipe_executions": size.lanes,
        "lambda_concurrency": size.lanes,
        "table_writes": size.write_units,
        "new_table_writes": size.write_units,
        "table_reads": size.read_units,
        "key_writes": size.hottest_write_units,
    }
    for key, quota in quotas.items():
        limit = quota.get("regions", {}).get(region, quota["limit"])
        yield Quota(quota["what"], needed[key], limit, quota["raise_at"], quota["source"])


def _costs(size: Capacity, prices: dict[str, float]) -> Iterator[Figure]:
    load, lane = size.load, size.lane
    events = load.events_per_second * SECONDS / 1e6
    batches = size.invocations * SECONDS / 1e6
    puts = math.ceil(load.event_bytes / PUT_UNIT)
    chunks = math.ceil(lane.records * size.payload_bytes / PIPE_CHUNK)
    items = f"{batches:,.2f} M batches x {lane.items:,.1f} items"
    units = {
        "Kinesis shard-hours": (size.shards * HOURS, f"{size.shards:,} x {HOURS} h"),
        "Kinesis PUT units, M": (events * puts, f"{events:,.1f} M events x {puts} of 25 KB"),
        "Pipes requests, M": (batches * chunks, f"{batches:,.2f} M batches x {chunks} of 64 KB"),
        "Lambda requests, M": (batches, f"{batches:,.2f} M batches"),
        "Lambda GB-seconds": (
            size.gigabyte_seconds * SECONDS,
            f"{batches:,.2f} M batches x {lane.seconds:.3f} s x {size.memory} MB / 1024",
        ),
        "DynamoDB write units, M": (
            size.write_units * SECONDS / 1e6,
            f"{items} x {size.item_units} units",
        ),
        "DynamoDB read units, M": (size.read_units * SECONDS / 1e6, items),
        "DynamoDB GB-months": (
            load.products * size.row_bytes / GB,
            f"{load.products:,} rows x {size.row_bytes:,} B",
        ),
        "CloudWatch log GB": (
            batches * 1e6 * LOG_BYTES / GB,
            f"{batches:,.2f} M batches x {LOG_BYTES:,} B",
        ),
        "CloudWatch metrics": (METRICS, f"{METRICS}"),
    }
    for name, dollars in prices.items():
        amount, formula = units[name]
        price = f"{dollars:.10f}".rstrip("0")
        yield Figure(name, amount * dollars, f"{formula} x {price}")
