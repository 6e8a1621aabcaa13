"""Where the pipeline saturates, and that it comes out right: `make bench-simulation`.

The real function and the real decisions of the pipe, on a table in memory with AWS's limits, in
simulated time. First rates one after the other in a scale model, with a fiftieth of the shards and
of what an account may use: each shard, lane and product has what it would have in full. Then
100,000 events a second over 1,000 shards in full, with hot products, a table that takes a tenth for
a second, a function that crashes now and then, and a reshard.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, replace

import click

from bench.figures import columns, row, section
from bench.simulation.run import Report, simulate
from bench.simulation.scenario import Scenario
from inventory_cli.errors import OneLineCommand

SEED = 8
MODEL = 50
"""How much smaller the scale model is."""

SHARDS = 1_000
PRODUCTS = 1_000_000
DEFAULT_UNITS = 40_000
RAISED_UNITS = 300_000

SWEEP: tuple[tuple[int, float | None], ...] = (
    (10_000, DEFAULT_UNITS),
    (25_000, DEFAULT_UNITS),
    (50_000, DEFAULT_UNITS),
    (100_000, RAISED_UNITS),
    (250_000, RAISED_UNITS),
    (250_000, None),
    (500_000, None),
    (800_000, None),
    (1_200_000, None),
)
"""Events a second in full, and the table's write units a second; None is as many as it takes."""

FULL = Scenario(
    rate=100_000,
    shards=SHARDS,
    products=PRODUCTS,
    seconds=4,
    table_units=RAISED_UNITS,
    outage=1.5,
    reshard=2.5,
    splits=20,
    crashes=0.005,
)


def modelled(rate: float, units: float | None, seconds: float) -> Scenario:
    """The load of `rate` in full, in the scale model; nothing goes wrong in it."""
    return Scenario(
        rate=rate / MODEL,
        shards=SHARDS // MODEL,
        products=PRODUCTS // MODEL,
        seconds=seconds,
        table_units=None if units is None else units / MODEL,
        concurrency=1_000 // MODEL,
        # A thousandth in full: so many events a second it has here as well.
        hottest=0.001 * MODEL,
        hot=3,
        crashes=0,
    )


def quick(full: Scenario) -> Scenario:
    """The same in small."""
    return replace(
        full, rate=2_000, shards=20, products=20_000, table_units=RAISED_UNITS / MODEL, splits=2
    )


@click.command(cls=OneLineCommand, help=__doc__)
@click.option("--quick", "small", is_flag=True, help="The last part alone, a fiftieth of it.")
@click.option("--seed", type=int, default=SEED, show_default=True)
def main(small: bool, seed: int) -> None:
    begun = time.perf_counter()
    wrong = 0
    if not small:
        section(f"Rates, at a scale of 1:{MODEL}")
        columns("events/s", "units/s", "p50 s", "p99 s", "lag s", "functions", "used", "throttles")
        for rate, units in SWEEP:
            wrong += len(rate_line(rate, units, seed).wrong)
    scenario = replace(quick(FULL) if small else FULL, seed=seed)
    section(f"{scenario.rate:,.0f} events/s over {scenario.shards:,} shards, faults and a reshard")
    report = simulate(scenario)
    _show(report)
    wrong += len(report.wrong)
    section(f"Took {time.perf_counter() - begun:.0f} s")
    if wrong or report.unread_shards or report.handled < report.events:
        for line in report.wrong[:5]:
            click.echo(line, err=True)
        click.echo(f"wrong: {wrong} products, {report.unread_shards} shards unread", err=True)
        sys.exit(1)
    row("products whose row is the fold of their events", "all")


def rate_line(rate: int, units: float | None, seed: int) -> Report:
    """Simulate a rate in the scale model, and print what came of it, in full."""
    report = simulate(replace(modelled(rate, units, 4), seed=seed))
    throttled = report.calls_throttled_for_the_table + report.writes_throttled_for_their_product
    columns(
        f"{rate:,}",
        "no limit" if units is None else f"{units:,.0f}",
        f"{report.p50:.2f}",
        f"{report.p99:.2f}",
        f"{report.lag:.2f}",
        f"{report.functions_at_once * MODEL:,}",
        f"{report.write_units_in_the_busiest_second * MODEL:,}",
        f"{throttled:,}",
        "at its limit: " + (", ".join(report.limits) or "nothing"),
    )
    return report


def _show(report: Report) -> None:
    for name, value in asdict(report).items():
        if isinstance(value, int | float):
            shown = f"{value:.2f} s" if isinstance(value, float) else f"{value:,}"
            row(name.replace("_", " "), shown)
    for name, count in report.outcomes.items():
        row(f"outcome {name}", f"{count:,}")


if __name__ == "__main__":
    main(prog_name="python -m bench.simulation")
