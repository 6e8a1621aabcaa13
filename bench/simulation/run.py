"""One simulation from its events to its report."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from bench.function_cost import TABLES
from bench.simulation.model import EPOCH, Clock, Item, Key, Stream, Table
from bench.simulation.pipe import Function, Pipe
from bench.simulation.scenario import FIRST_NUMBER, Put, Scenario, json_of, puts
from inventory.event import parse
from inventory.items import item_of, row_of
from inventory.stock import Outcome, Row, fold

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
    functions_at_once: int
    write_units_in_the_busiest_second: int
    calls_throttled_for_the_table: int
    writes_throttled_for_their_product: int
    puts_that_waited_for_their_shard: int
    invocations_refused: int
    invocations_crashed: int
    dead_letters: int
    shards_made_by_the_reshard: int
    outcomes: dict[str, int]
    limits: list[str]
    wrong: list[str]
    unread_shards: int

    @property
    def handled(self) -> int:
        """How many records have an outcome that is not to be retried."""
        return sum(n for name, n in self.outcomes.items() if name != Outcome.FAILED)


def simulate(scenario: Scenario) -> Report:
    logging.getLogger("eventbridge_pipes").setLevel(logging.CRITICAL)  # retries are counted here
    stream = Stream(scenario.shards)
    made = _filled(stream, scenario)
    clock = Clock()
    table = Table(clock, _quota(scenario), stocked)
    function = Function(table, clock, scenario)
    pipe = Pipe(scenario, stream, function, clock)
    pipe.run()

    slowest = sorted(pipe.latencies)
    return Report(
        events=len(slowest),
        p50=slowest[len(slowest) // 2],
        p99=slowest[len(slowest) * 99 // 100],
        lag=pipe.ended - scenario.seconds,
        invocations=function.invocations,
        functions_at_once=function.most,
        write_units_in_the_busiest_second=max(table.busiest.values(), default=0),
        calls_throttled_for_the_table=table.throttled["table"],
        writes_throttled_for_their_product=table.throttled["key"],
        puts_that_waited_for_their_shard=stream.refused,
        invocations_refused=function.refused,
        invocations_crashed=function.crashed,
        dead_letters=len(pipe.dead_letters),
        shards_made_by_the_reshard=made,
        outcomes={outcome.value: n for outcome, n in sorted(function.outcomes.items())},
        limits=_reached(scenario, pipe, table, stream, function),
        wrong=_wrong(stream, table),
        unread_shards=sum(s.closed for s in stream.all.values()) - len(pipe.finished),
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
            made, due = stream.reshard(0, scenario.splits), None
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
    scenario: Scenario, pipe: Pipe, table: Table, stream: Stream, function: Function
) -> list[str]:
    works = [*pipe.reading.values(), *pipe.finished.values()]
    busiest = max((lane.busy for work in works for lane in work.lanes), default=0.0)
    limits = {
        "shards' writes": stream.refused > 0,
        "table's units": table.throttled["table"] > 0,
        "a product's units": table.throttled["key"] > 0,
        "concurrent functions": function.refused > 0,
        "busiest lane": busiest >= FULL * max(pipe.ended, scenario.seconds),
    }
    return [name for name, reached in limits.items() if reached]


def _wrong(stream: Stream, table: Table) -> list[str]:
    """Each product whose row is not the fold of its events, one by one in the order of the puts."""
    events: defaultdict[int, list[Put]] = defaultdict(list)
    for shard in stream.all.values():
        for _, put in shard.records:
            events[put.product].append(put)
    wrong = []
    for product, of_product in events.items():
        of_product.sort(key=lambda put: put.number)
        parsed = [parse(json_of(put).encode(), FIRST_NUMBER + put.number) for put in of_product]
        key = TABLES.rows, f"P{product}"
        before = stocked(key)
        expected = fold(row_of(before) if before else None, parsed)[-1].row
        item = table.item(key)
        actual = row_of(item) if item else None
        if actual != expected:
            wrong.append(f"P{product}: {actual} instead of {expected}")
    return wrong
