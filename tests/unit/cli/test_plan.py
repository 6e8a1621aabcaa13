"""What `inventory plan` calculates and prints."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from inventory_cli.cli import cli
from inventory_cli.planning import capacity
from inventory_cli.planning.capacity import Load, smallest
from inventory_cli.planning.plan import Figure, Plan, Quota, make_plan

LOAD = Load(10_000, 100_000, 200)

loads = st.builds(
    Load,
    st.floats(0.01, 1e6),
    st.integers(1, 10**8),
    st.integers(60, 390_000),
    hottest=st.just(0.0) | st.floats(0, 1),
    turnover=st.floats(0, 1),
    window=st.integers(0, 300),
)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["plan", "--region", "us-east-1", *arguments])
    return result.exit_code, result.output


def costs(plan: Plan) -> dict[str, Figure]:
    return {figure.name: figure for figure in plan.dollars_a_month}


def quota(plan: Plan, name: str) -> Quota:
    return next(quota for quota in plan.quotas if quota.name.startswith(name))


@given(loads)
def test_nothing_exceeds_what_aws_allows_for_it(load: Load) -> None:
    size = smallest(load)

    share = load.events_per_second / size.shards
    assert share <= capacity.SHARD_RECORDS * capacity.FILL * (1 + 1e-9)
    assert share * load.event_bytes <= capacity.SHARD_BYTES * capacity.FILL * (1 + 1e-9)
    assert 1 <= size.factor <= 10
    assert 1 <= size.batch <= 10_000
    assert size.batch == 1 or size.batch * size.payload_bytes <= 6 * 1024**2
    assert 128 <= size.memory <= 10_240
    assert size.lane.busy <= capacity.BUSY
    assert size.lane.records <= max(1, size.batch)
    assert size.lane.items <= size.lane.records * (1 + load.turnover) * (1 + 1e-9)
    assert size.concurrency <= size.lanes


@given(loads, st.floats(1, 50))
def test_more_load_never_takes_fewer_shards_nor_larger_rows(load: Load, by: float) -> None:
    less = smallest(load)
    more = smallest(replace(load, events_per_second=load.events_per_second * by))

    assert more.shards >= less.shards
    assert more.row_bytes == less.row_bytes


@given(loads, st.floats(1.5, 50))
def test_more_load_never_costs_less(load: Load, by: float) -> None:
    more = replace(load, events_per_second=load.events_per_second * by)

    less_cost, more_cost = (
        costs(make_plan(each, "us-east-1"))["total"].value for each in (load, more)
    )
    assert more_cost >= less_cost * (1 - 1e-9)


@given(loads)
def test_the_total_is_the_sum_of_the_costs(load: Load) -> None:
    *lines, total = make_plan(load, "us-east-1").dollars_a_month

    assert all(line.value >= 0 for line in lines)
    assert total.value == pytest.approx(sum(line.value for line in lines))


@given(st.floats(0.1, 1e5), st.integers(1, 1_000))
def test_a_batch_writes_each_product_once_however_many_events_it_has(
    rate: float, products: int
) -> None:
    size = smallest(Load(rate, products, 200, turnover=0))

    assert size.lane.items * size.lanes <= max(size.lanes, products) * (1 + 1e-9)


def test_the_costs_of_a_plain_load() -> None:
    found = costs(make_plan(LOAD, "us-east-1"))

    assert smallest(LOAD).shards == 13  # 10,000 / 800, rounded up
    shards = found["Kinesis shard-hours"]
    assert shards.formula == "13 x 730 h x 0.015"
    assert shards.value == pytest.approx(142.35)
    # 10,000 a second are 26,280 million a month.
    assert found["Kinesis PUT units, M"].value == pytest.approx(26_280 * 0.014)
    per_million = f"{found['total'].value / 26_280:,.4f}"
    assert found["total"].formula == f"{per_million} for a million events"


def test_a_longer_window_makes_larger_batches_fewer_writes_and_a_higher_latency() -> None:
    short, long = (smallest(replace(LOAD, window=window)) for window in (0, 10))

    assert long.lane.records > short.lane.records
    assert long.write_units < short.write_units
    assert long.typical_latency > short.typical_latency + 4


def test_a_product_hotter_than_a_shard_has_a_quota_that_cannot_be_raised() -> None:
    warm, hot = (make_plan(replace(LOAD, hottest=share), "us-east-1") for share in (0.01, 0.2))

    assert quota(warm, "records a second").fits
    assert not quota(hot, "records a second").fits
    assert quota(hot, "records a second").raise_at is None
    options = ("--events-per-second", "10000", "--products", "100000", "--event-size", "200")
    [line] = [line for line in run(*options, "--hottest", "20")[1].splitlines() if "2,615" in line]
    assert line.endswith("cannot be raised")


def test_a_hot_product_gets_a_lane_that_keeps_up_if_any_does() -> None:
    hot = smallest(replace(LOAD, hottest=0.09))

    assert hot.lane.busy < hot.hottest_lane.busy <= 1


def test_the_quotas_are_those_of_the_region() -> None:
    load = Load(1e6, 10**6, 200)
    here, there = (quota(make_plan(load, r), "shards") for r in ("us-east-1", "eu-central-1"))

    assert [here.fits, there.fits] == [True, False]
    assert [here.limit, there.limit] == [20_000, 1_000]


def test_the_prices_are_of_the_named_region_list_and_dates_wherever_the_plan_is_for() -> None:
    options = ("--events-per-second", "100", "--products", "100", "--event-size", "200")

    code, text = run(*options, "--region", "ap-southeast-1")

    assert code == 0
    assert "Prices of us-east-1: AWS Price List, https://pricing.us-east-1.amazonaws.com" in text
    assert "from 2026-05-29 to 2026-10-01" in text


def test_the_json_has_what_the_text_says() -> None:
    arguments = ("--events-per-second", "500", "--products", "10", "--event-size", "300")

    code, text = run(*arguments)
    document = json.loads(run(*arguments, "--json")[1])

    assert code == 0
    figures = [*document["capacity"], *document["dollars_a_month"]]
    assert all(figure["name"] in text and figure["formula"] in text for figure in figures)
    assert f"{document['dollars_a_month'][-1]['value']:,.2f}" in text
    assert all(quota["needed"] <= quota["limit"] for quota in document["quotas"])
    assert len(document["quotas"]) == 9
    assert all(quota["source"].startswith("https://") for quota in document["quotas"])
    assert text.endswith("\n".join(document["notes"]) + "\n")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (
            "--events-per-second",
            "0",
            "must be a number above 0, such as 20, up to 100000000 (it is '0')",
        ),
        (
            "--events-per-second",
            "nan",
            "must be a number above 0, such as 20, up to 100000000 (it is 'nan')",
        ),
        ("--products", "0", "must be a whole number from 1 to 100000000000 (it is '0')"),
        ("--event-size", "10", "must be a whole number from 60 to 390000 (it is '10')"),
        ("--turnover", "101", "must be a number from 0 to 100 (it is '101')"),
        ("--hottest", "nan", "must be a number from 0 to 100 (it is 'nan')"),
        ("--window", "301", "must be a whole number from 0 to 300 (it is '301')"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(option: str, value: str, message: str) -> None:
    arguments = {"--events-per-second": "10", "--products": "100", "--event-size": "200"}
    given_options = [part for pair in (arguments | {option: value}).items() for part in pair]

    assert run(*given_options) == (2, f"Error: {option} {message}\n")


def test_an_unknown_region_is_one_line_and_exit_code_2() -> None:
    options = ("--events-per-second", "10", "--products", "100", "--event-size", "200")

    code, text = run(*options, "--region", "mars-north-1")

    assert (code, text) == (2, "Error: mars-north-1 is not a Region that has Kinesis.\n")
