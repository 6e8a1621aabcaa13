"""One simulation from its events to its verdict."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from bench.function_cost import TABLES
from bench.simulation.clock import EPOCH, Clock
from bench.simulation.function import Function, Speed
from bench.simulation.pipe import Pipe, Target
from bench.simulation.scenario import Put, Scenario, json_of, puts
from bench.simulation.stream import Stream
from bench.simulation.table import Item, Key, Limits, Table
from inventory.event import parse
from inventory.items import item_of, row_of
from inventory.stock import Outcome, Row, fold
from inventory_cli.planning import capacity

OUTAGE_SECONDS = 1.0
FULL = 0.95
"""The share of a limit from which on it is reached."""


@dataclass(frozen=True)
class Report:
    """Seconds are simulated; `lag` is how long after the last put the last row was written."""

    events: int
    p50: float
    p99: float
    lag: float
    invocations: int
    concurrency: int
    units: int
    put_refusals: int
    table_throttles: int
    key_throttles: int
    function_refusals: int
    crashes: int
    dead_letters: int
    outcomes: dict[str, int]
    limits: list[str]
    wrong: list[str]
    resharded: int
    unfinished: int


def simulate(scenario: Scenario) -> Report:
    logging.getLogger("eventbridge_pipes").setLevel(logging.CRITICAL)  # retries are counted here
    stream = Stream(scenario.shards)
    made = _filled(stream, scenario)
    clock = Clock()
    limits = Limits(_quota(scenario))
    table = Table(clock, limits, capacity.READ_SECONDS, capacity.WRITE_SECONDS, stocked)
    slower = max(1.0, capacity.ONE_CORE / scenario.memory)
    speed = Speed(slower * capacity.INVOCATION_SECONDS, slower * capacity.RECORD_SECONDS)
    function = Function(table, clock, speed)
    target = Target(function, clock, scenario)
    pipe = Pipe(scenario, stream, target, clock)
    pipe.run()

    slowest = sorted(pipe.latencies)
    units = max(table.busiest.values(), default=0)
    return Report(
        events=len(slowest),
        p50=slowest[len(slowest) // 2],
        p99=slowest[len(slowest) * 99 // 100],
        lag=pipe.ended - scenario.seconds,
        invocations=target.invocations,
        concurrency=target.most,
        units=units,
        put_refusals=stream.refused,
        table_throttles=table.throttled["table"],
        key_throttles=table.throttled["key"],
        function_refusals=target.refused,
        crashes=target.crashed,
        dead_letters=len(pipe.dead_letters.bodies),
        outcomes={outcome.value: n for outcome, n in sorted(function.outcomes.items())},
        limits=_reached(scenario, pipe, table, stream, target),
        wrong=_wrong(stream, table),
        resharded=made,
        unfinished=sum(bool(s.closed) for s in stream.all.values()) - len(pipe.finished),
    )


def stocked(key: Key) -> Item | None:
    """Every product has a row before the first event."""
    table, product = key
    return item_of(Row(product, "Product", 500, "N/A", 1)) if table == TABLES.rows else None


def _filled(stream: Stream, scenario: Scenario) -> int:
    made = 0
    due = scenario.reshard
    for put in puts(scenario):
        if due is not None and put.at >= due:
            made, due = len(stream.reshard(0, scenario.splits)), None
        stream.put(put)
    return made


def _quota(scenario: Scenario) -> Callable[[float], float]:
    quota = float("inf") if scenario.table_units is None else scenario.table_units
    begins = scenario.outage

    def limit(now: float) -> float:
        if begins is not None and begins <= now - EPOCH < begins + OUTAGE_SECONDS:
            return quota / 10
        return quota

    return limit


def _reached(
    scenario: Scenario, pipe: Pipe, table: Table, stream: Stream, target: Target
) -> list[str]:
    found = []
    if stream.refused:
        found.append("shards' writes")
    if table.throttled["table"]:
        found.append("table's units")
    if table.throttled["key"]:
        found.append("a product's units")
    if target.refused:
        found.append("concurrent functions")
    busiest = max(
        (lane.busy for work in (pipe.reading | pipe.finished).values() for lane in work.lanes),
        default=0.0,
    )
    if busiest >= FULL * max(pipe.ended, scenario.seconds):
        found.append("busiest lane")
    return found


def _wrong(stream: Stream, table: Table) -> list[str]:
    """Each product whose row is not the fold of its events, one by one in the order of the puts."""
    events: defaultdict[int, list[Put]] = defaultdict(list)
    for shard in stream.all.values():
        for _, put in shard.records:
            events[put.product].append(put)
    wrong = []
    for product, of_product in events.items():
        of_product.sort(key=lambda put: put.number)
        parsed = [
            parse(json_of(put).encode(), 4_960_000_000_000 + put.number) for put in of_product
        ]
        key = TABLES.rows, f"P{product}"
        before = stocked(key)
        expected = fold(row_of(before) if before else None, parsed)[-1].row
        item = table.item(key)
        actual = row_of(item) if item else None
        if actual != expected:
            wrong.append(f"P{product}: {actual} instead of {expected}")
    return wrong


def handled(report: Report) -> int:
    """How many records have an outcome that is none to be tried again."""
    return sum(n for name, n in report.outcomes.items() if name != Outcome.FAILED)
