"""What it costs a month, and by which formula. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from inventory_cli.planning.book import Measured, Price, Prices
from inventory_cli.planning.sizing import Sizing, payload_bytes
from inventory_cli.planning.workload import Workload

HOURS = 730
SECONDS = HOURS * 3_600
GB = 1024**3
PIPE_CHUNK = 64 * 1024
PUT_UNIT = 25 * 1024
METRICS = 9
"""That the function writes: `processor.handler`."""


@dataclass(frozen=True)
class Item:
    """A line of the bill: `dollars` is None where the price of the Region is not known."""

    service: str
    name: str
    formula: str
    dollars: float | None
    price: Price | None


@dataclass(frozen=True)
class Bill:
    items: Sequence[Item]
    on_demand: float | None
    """What the stream would cost on demand; None when that is not known."""

    @property
    def known(self) -> float:
        return sum(item.dollars or 0.0 for item in self.items)

    @property
    def unknown(self) -> list[str]:
        return [f"{item.service}: {item.name}" for item in self.items if item.dollars is None]

    def by_service(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for item in self.items:
            if item.dollars is not None:
                found[item.service] = found.get(item.service, 0.0) + item.dollars
        return found

    def per_million(self, workload: Workload) -> float:
        return self.known / (workload.events_per_second * SECONDS / 1e6)


def bill(workload: Workload, sizing: Sizing, measured: Measured, prices: Prices) -> Bill:
    events = workload.events_per_second * SECONDS
    calls = sizing.invocations * SECONDS
    chunks = math.ceil(sizing.lane.records * payload_bytes(workload, measured) / PIPE_CHUNK)
    puts = math.ceil(workload.event_bytes / PUT_UNIT)
    log = measured.log_bytes_of_an_invocation
    kept = workload.products * sizing.row_bytes

    def item(name: str, title: str, formula: str, units: float) -> Item:
        price = prices.get(name)
        service = name.partition(".")[0]
        if price is None:
            return Item(service, title, formula, None, None)
        text = f"{formula} x {f'{price.dollars:.10f}'.rstrip('0')}"
        return Item(service, title, text, units * price.dollars, price)

    hours = sizing.shards * HOURS
    items = [
        item("kinesis.shard_hour", "shards", f"{sizing.shards:,} x {HOURS} h", hours),
        item(
            "kinesis.million_put_units",
            "puts",
            f"{events / 1e6:,.1f} M events x {puts} of 25 KB",
            events / 1e6 * puts,
        ),
    ]
    if workload.retention_hours > 24:
        items.append(
            item(
                "kinesis.extended_shard_hour",
                "kept beyond 24 h",
                f"{sizing.shards:,} x {HOURS} h",
                hours,
            )
        )
    if (longer := workload.retention_hours - 168) > 0:
        lying = workload.bytes_per_second * longer * 3_600 / GB
        items.append(
            item("kinesis.long_term_gb_month", "kept beyond 7 days", f"{lying:,.1f} GB", lying)
        )
    items += [
        item(
            "pipes.million_requests",
            "requests",
            f"{calls / 1e6:,.2f} M batches x {chunks} of 64 KB",
            calls / 1e6 * chunks,
        ),
        item(
            "lambda.million_requests", "invocations", f"{calls / 1e6:,.2f} M batches", calls / 1e6
        ),
        item(
            "lambda.gb_second",
            "time",
            f"{calls / 1e6:,.2f} M x {sizing.lane.seconds:.3f} s x {sizing.memory} MB / 1024",
            sizing.gigabyte_seconds * SECONDS,
        ),
        item(
            "dynamodb.million_write_units",
            "writes",
            f"{calls / 1e6:,.2f} M x {sizing.lane.items:,.1f} items x {sizing.item_units} units",
            sizing.write_units * SECONDS / 1e6,
        ),
        item(
            "dynamodb.million_read_units",
            "reads",
            f"{calls / 1e6:,.2f} M x {sizing.lane.items:,.1f} items",
            sizing.read_units * SECONDS / 1e6,
        ),
        item(
            "dynamodb.gb_month",
            "rows kept",
            f"{workload.products:,} x {sizing.row_bytes:,} B",
            kept / GB,
        ),
        item(
            "cloudwatch.log_gb",
            "log",
            f"{calls / 1e6:,.2f} M x {log:,.0f} B",
            calls * log / GB,
        ),
        item("cloudwatch.metric_month", "metrics", f"{METRICS}", METRICS),
    ]
    return Bill(items, _on_demand(workload, prices))


def _on_demand(workload: Workload, prices: Prices) -> float | None:
    names = ("kinesis.stream_hour", "kinesis.gb_in", "kinesis.gb_out")
    if not prices.keys() >= set(names):
        return None
    hour, written, read = (prices[name].dollars for name in names)
    # Each record counts as whole KB; the pipe reads it once.
    kilobytes = math.ceil(workload.event_bytes / 1024) * workload.events_per_second * SECONDS
    return HOURS * hour + kilobytes * 1024 / GB * (written + read)
