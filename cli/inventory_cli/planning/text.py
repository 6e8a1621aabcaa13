"""The plan for people, and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from inventory_cli.planning import book, sizing
from inventory_cli.planning.bill import SECONDS, Item
from inventory_cli.planning.book import Measured
from inventory_cli.planning.plan import Plan, Use

NOT_INCLUDED = (
    "Not included: free tiers, taxes, volume discounts, retries, rejected events, dead letters, "
    "the alerts function, other readers of the stream or table, and the cost while idle."
)


def written(plan: Plan, measured: Measured) -> str:
    return "\n".join(_lines(plan, measured))


def _lines(plan: Plan, measured: Measured) -> Iterator[str]:
    load, size = plan.workload, plan.sizing
    lane = size.lane
    yield (
        f"{load.events_per_second:,.10g} events/s of {load.event_bytes:,} B, {load.products:,} "
        f"products, kept {load.retention_hours} h, in {plan.region}"
    )
    yield "\nStream"
    yield _size(
        "shards",
        f"{size.shards:,}",
        f"the larger of events / ({sizing.SHARD_RECORDS:,} x {sizing.FILL}) and bytes / "
        f"(1 MiB x {sizing.FILL}) a second",
    )
    yield _size("mode", "on demand" if plan.on_demand else "provisioned", _mode(plan))
    yield "\nPipe"
    yield _size(
        "ParallelizationFactor",
        str(size.factor),
        f"from 1 to 10; up to {size.lanes:,} batches at the same time",
    )
    yield _size("batch", f"{size.batch:,}", f"twice the records of {size.period:g} s, up to 6 MiB")
    yield _size("window", f"{size.window} s", f"the longest for a latency of {load.latency:g} s")
    yield _size(
        "batches/s", f"{size.invocations:,.1f}", f"{lane.records:,.1f} records in each, on average"
    )
    yield "\nFunction"
    yield _size("memory", f"{size.memory:,} MB", "the least function time of 256 to 1,769 MB")
    slower = max(1.0, sizing.ONE_CORE / size.memory)
    yield _size(
        "an invocation",
        f"{lane.seconds:.3f} s",
        f"{slower:.2f} x ({measured.invocation_seconds:g} + {lane.records:,.1f} x "
        f"{measured.record_seconds:g}) + calls to the table",
    )
    yield _size(
        "concurrency",
        f"{size.concurrency:,.1f}",
        f"batches/s x seconds; at most {size.lanes:,}",
    )
    yield "\nTable"
    yield _size("capacity", "on demand", "as `deploy` creates it; this load needs:")
    yield _size(
        "write units/s",
        f"{size.write_units:,.0f}",
        f"batches/s x {lane.items:,.1f} items x {size.item_units} units "
        f"(rows up to {size.row_bytes:,} B, in transactions)",
    )
    yield _size("read units/s", f"{size.read_units:,.0f}", f"batches/s x {lane.items:,.1f} items")
    yield "\nLatency, end to end"
    yield _size("typical", f"{size.typical_latency:.2f} s", f"{size.period:g} / 2 + an invocation")
    yield _size(
        "nearly all",
        f"{size.high_latency:.2f} s",
        f"{size.period:g} + an invocation / (1 - {lane.busy:.2f} busy)"
        + ("" if size.high_latency <= load.latency else f"; over the {load.latency:g} s asked for"),
    )
    yield f"\n{'Quotas':<57}{'needed':>10} {'limit':>10}"
    yield from (_use(use) for use in plan.uses)
    events = load.events_per_second * SECONDS / 1e6
    yield f"\nA month ({SECONDS / 3600:g} h, {events:,.1f} M events)"
    yield from (_item(item) for item in plan.bill.items)
    yield from _sum(plan)
    yield ""
    yield from _sources(plan)
    yield f"Quotas: the defaults of an account, read {book.quotas_read()}."
    yield f"The function was measured with {measured.command}, on {measured.on}."
    yield (
        f"Assumed: a shard is read every {sizing.POLL:g} s; a read of the table takes "
        f"{sizing.READ_SECONDS * 1000:g} ms, a write {sizing.WRITE_SECONDS * 1000:g} ms."
    )
    yield NOT_INCLUDED
    if size.factor > 1:
        yield "`deploy` does not set ParallelizationFactor. Set it on the pipe."
    yield from (f"AWS cannot carry this load: {each}." for each in plan.obstacles)


def _sum(plan: Plan) -> Iterator[str]:
    unknown = plan.bill.unknown
    if len(unknown) == len(plan.bill.items):
        known = ", ".join(book.priced_regions())
        yield f"No price is known for {plan.region}. prices.json has those of {known}."
        return
    least = "at least " if unknown else ""
    per_million = f"{least}{_per_million(plan)} per million events"
    yield f"  {plan.bill.known:14,.2f}  USD in total, {per_million}"
    if unknown:
        yield f"No price is known for {plan.region} of {', '.join(unknown)}."


def _size(name: str, value: str, formula: str) -> str:
    return f"  {name:<22} {value:>12}  {formula}"


def _mode(plan: Plan) -> str:
    other = plan.bill.on_demand
    if other is None:
        return "on demand is not compared: its price is not known here"
    return f"on demand {other:,.2f} USD a month"


def _use(use: Use) -> str:
    line = f"  {use.quota.what:<54} {use.needed:>10,.0f} {use.quota.limit:>10,.0f}"
    if use.fits:
        return line
    return f"{line}  {_where(use)}"


def _where(use: Use) -> str:
    return (
        f"request an increase: {use.quota.raise_at}" if use.quota.raise_at else "cannot be raised"
    )


def _item(item: Item) -> str:
    dollars = "not known" if item.dollars is None else f"{item.dollars:,.2f}"
    return f"  {dollars:>14}  {item.service} {item.name}: {item.formula}"


def _per_million(plan: Plan) -> str:
    return f"{plan.bill.per_million(plan.workload):,.4f}"


def _sources(plan: Plan) -> Iterator[str]:
    seen: dict[tuple[str, str], list[str]] = {}
    for item in plan.bill.items:
        if item.price:
            key = item.price.found_in, item.price.date
            seen.setdefault(key, []).append(f"{item.service} {item.name}")
    if seen:
        yield f"Prices, {book.checked()}:"
    for (found_in, date), names in seen.items():
        yield f"  {', '.join(names)}: {found_in} ({date})"


def as_document(plan: Plan) -> dict[str, Any]:
    """The same as JSON."""
    size = plan.sizing
    return {
        "region": plan.region,
        "workload": asdict(plan.workload),
        "stream": {"mode": "on demand" if plan.on_demand else "provisioned", "shards": size.shards},
        "pipe": {
            "parallelization_factor": size.factor,
            "batch_size": size.batch,
            "batching_window_seconds": size.window,
        },
        "function": {
            "memory_mb": size.memory,
            "concurrency": size.concurrency,
            "lanes": size.lanes,
            "invocation_seconds": size.lane.seconds,
        },
        "table": {
            "write_units_per_second": size.write_units,
            "read_units_per_second": size.read_units,
        },
        "latency": {"typical": size.typical_latency, "high": size.high_latency},
        "quotas": [
            {"needed": use.needed, "fits": use.fits, **asdict(use.quota)} for use in plan.uses
        ],
        "month": {
            "items": [asdict(item) for item in plan.bill.items],
            "by_service": plan.bill.by_service(),
            "dollars": plan.bill.known,
            "unknown": plan.bill.unknown,
            "dollars_per_million_events": plan.bill.per_million(plan.workload),
        },
        "obstacles": plan.obstacles,
    }
