"""The simulation of the pipeline at scale: the same each time, right, and saturating in place."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench.simulation.__main__ import FULL, modelled, quick
from bench.simulation.run import simulate
from bench.simulation.scenario import Scenario

from inventory_cli.planning.capacity import Load, smallest

SMALL = replace(quick(FULL), seconds=3, crashes=0.05)


def test_through_faults_and_a_reshard_every_row_is_the_fold_of_its_events() -> None:
    report = simulate(SMALL)

    assert report.events == 6_000
    assert report.wrong == []
    assert report.unread_shards == 0
    assert report.dead_letters == 0
    assert report.handled >= report.events
    assert report.shards_made_by_the_reshard > 0
    assert report.invocations_crashed > 0
    assert report.calls_throttled_for_the_table > 0


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    short = replace(SMALL, seconds=1, outage=0.2, reshard=0.5)
    first, again, other = (simulate(replace(short, seed=seed)) for seed in (3, 3, 4))

    assert first == again
    assert first.outcomes != other.outcomes


@pytest.mark.parametrize("products", [2_000, 20_000])
def test_the_plan_predicts_what_the_simulation_shows(products: int) -> None:
    rate, seconds = 800, 3
    planned = smallest(Load(rate, products, 200))

    report = simulate(
        Scenario(
            rate=rate,
            shards=planned.shards,
            products=products,
            seconds=seconds,
            table_units=None,
            hottest=1 / products,
            hot=1,
            crashes=0,
            batch=planned.batch,
            window=planned.period,  # how often the plan assumes that a shard is read
            lanes=planned.factor,
            memory=planned.memory,
        )
    )

    assert report.p50 == pytest.approx(planned.typical_latency, rel=0.15)
    assert report.p99 <= 1.05 * planned.high_latency
    assert report.invocations / seconds == pytest.approx(planned.invocations, rel=0.3)
    # The plan assumes that every event is applied.
    units = report.write_units_in_the_busiest_second
    assert 0.8 * planned.write_units <= units <= planned.write_units


@pytest.mark.parametrize(
    ("scenario", "limits"),
    [
        (modelled(10_000, 40_000, 2), []),
        (modelled(100_000, 40_000, 2), ["table's units"]),
        (
            replace(modelled(100_000, None, 2), concurrency=5),
            ["concurrent functions"],
        ),
        (replace(modelled(25_000, None, 2), hottest=0.9, rate=2_500), ["shards' writes"]),
    ],
)
def test_what_is_too_small_is_what_is_named(scenario: Scenario, limits: list[str]) -> None:
    report = simulate(scenario)

    assert report.wrong == []
    assert report.limits[: len(limits)] == limits
    assert bool(report.limits) == bool(limits)
