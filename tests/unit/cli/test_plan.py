"""What `inventory plan` reckons, and what it says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from inventory_cli.cli import cli
from inventory_cli.planning import book, sizing
from inventory_cli.planning.plan import Plan, plan
from inventory_cli.planning.workload import Workload

MEASURED = book.measured()
LOAD = Workload(10_000, 100_000, 200)

rates = st.floats(0.01, 1e6)
workloads = st.builds(
    Workload,
    rates,
    st.integers(1, 10**8),
    st.integers(60, 390_000),
    st.integers(24, 8_760),
    turnover=st.floats(0, 1),
    latency=st.floats(1, 60),
)


def planned(workload: Workload, region: str = "us-east-1") -> Plan:
    return plan(region, workload, MEASURED, book.prices(region), book.quotas(region))


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["plan", "--region", "us-east-1", *arguments])
    return result.exit_code, result.output


@given(workloads)
def test_nothing_is_above_what_aws_allows_for_it(workload: Workload) -> None:
    size = planned(workload).sizing

    share = workload.events_per_second / size.shards
    assert share <= sizing.SHARD_RECORDS * sizing.FILL * (1 + 1e-9)
    assert share * workload.event_bytes <= sizing.SHARD_WRITES * sizing.FILL * (1 + 1e-9)
    assert 1 <= size.factor <= 10
    assert 1 <= size.batch <= 10_000
    assert size.batch == 1 or size.batch * sizing.payload_bytes(workload, MEASURED) <= 6 * 1024**2
    assert 0 <= size.window <= min(300, workload.latency)
    assert 128 <= size.memory <= 10_240
    assert size.lane.busy <= sizing.BUSY
    assert size.lane.distinct <= size.lane.records <= max(1, size.batch)
    assert size.concurrency <= size.lanes


@given(workloads, st.floats(1, 50))
def test_more_load_never_takes_fewer_shards_nor_writes_less(workload: Workload, by: float) -> None:
    more = replace(workload, events_per_second=workload.events_per_second * by)

    less_size, more_size = planned(workload).sizing, planned(more).sizing
    assert more_size.shards >= less_size.shards
    assert more_size.row_bytes == less_size.row_bytes


@given(workloads, st.floats(1.5, 50))
def test_more_load_never_costs_less(workload: Workload, by: float) -> None:
    more = replace(workload, events_per_second=workload.events_per_second * by)

    assert planned(more).bill.known >= planned(workload).bill.known * (1 - 1e-9)


@given(workloads)
def test_the_bill_is_the_sum_of_its_lines_and_of_its_services(workload: Workload) -> None:
    bill = planned(workload).bill

    assert all(item.dollars is None or item.dollars >= 0 for item in bill.items)
    assert bill.known == pytest.approx(sum(bill.by_service().values()))


@given(st.floats(0.1, 1e5), st.integers(1, 1_000))
def test_a_lane_reads_each_product_once_a_batch_however_many_events_it_has(
    rate: float, products: int
) -> None:
    size = planned(Workload(rate, products, 200)).sizing

    assert size.lane.distinct * size.lanes <= max(size.lanes, products) * (1 + 1e-9)


def test_what_is_reckoned_for_a_plain_load() -> None:
    result = planned(LOAD)
    items = {f"{item.service} {item.name}": item for item in result.bill.items}

    assert result.sizing.shards == 13  # 10,000 / 800, begun
    shards = items["kinesis shards"]
    assert shards.formula == "13 x 730 h x 0.015"
    assert shards.dollars == pytest.approx(142.35)
    # 10,000 a second are 26,280 million a month.
    assert items["kinesis puts"].dollars == pytest.approx(26_280 * 0.014)
    assert result.bill.per_million(LOAD) == pytest.approx(result.bill.known / 26_280)


def test_a_stream_on_demand_is_chosen_where_it_costs_less() -> None:
    # A tenth of a KB costs as much as a whole one there.
    small, large = (planned(Workload(700, 1_000, size)) for size in (100, 1_024))

    assert small.bill.on_demand == large.bill.on_demand
    assert small.bill.on_demand == pytest.approx(
        730 * 0.04 + 700 * 730 * 3_600 / 1024**2 * (0.08 + 0.04)
    )
    assert not small.on_demand
    stream = small.bill.by_service()["kinesis"]
    assert replace(small, bill=replace(small.bill, on_demand=stream - 1)).on_demand


def test_longer_retention_is_paid_for_in_two_steps() -> None:
    names = [
        [
            i.name
            for i in planned(replace(LOAD, retention_hours=hours)).bill.items
            if "kept b" in i.name
        ]
        for hours in (24, 25, 168, 169)
    ]

    assert names == [
        [],
        ["kept beyond 24 h"],
        ["kept beyond 24 h"],
        ["kept beyond 24 h", "kept beyond 7 days"],
    ]


def test_a_product_hotter_than_a_shard_is_said_to_be_beyond_any_size() -> None:
    warm, hot = (planned(replace(LOAD, hottest=share)).obstacles for share in (0.01, 0.2))

    assert warm == []
    assert hot == [
        "records a second into a shard, so of one product: 2,615 needed, the limit is 1,000"
    ]


def test_the_quotas_are_those_of_the_region() -> None:
    here, there = (planned(Workload(1e6, 10**6, 200), r) for r in ("us-east-1", "eu-central-1"))
    shards = [next(use for use in p.uses if "shards" in use.quota.what) for p in (here, there)]

    assert [use.fits for use in shards] == [True, False]
    assert [use.quota.limit for use in shards] == [20_000, 1_000]


def test_a_price_that_is_not_known_is_named_and_never_taken_for_nothing() -> None:
    code, said = run(
        *("--events-per-second", "100", "--products", "100", "--event-size", "200"),
        *("--region", "eu-west-1"),
    )

    assert code == 0
    assert "not known  kinesis puts:" in said
    assert "No price is known for eu-west-1 of kinesis: puts." in said
    assert "USD in total, at least" in said


def test_a_region_without_prices_has_a_plan_and_no_bill() -> None:
    code, said = run(
        *("--events-per-second", "100", "--products", "100", "--event-size", "200"),
        *("--region", "ap-southeast-1"),
    )

    assert code == 0
    assert (
        "No price is known for ap-southeast-1. prices.json has those of eu-central-1, eu-west-1, "
        "us-east-1, us-west-2." in said
    )
    assert "USD in total" not in said


def test_every_price_and_quota_says_where_it_is_from() -> None:
    for region in book.priced_regions():
        for price in book.prices(region).values():
            assert price.dollars > 0
            assert price.page.startswith("https://")
            assert price.found_in
            assert price.date
        assert all(quota.source.startswith("https://") for quota in book.quotas(region).values())


def test_the_document_holds_what_the_text_says() -> None:
    arguments = ("--events-per-second", "500", "--products", "10", "--event-size", "300")

    code, text = run(*arguments)
    document = json.loads(run(*arguments, "--json")[1])

    assert code == 0
    assert f"{document['month']['dollars']:,.2f}  USD in total" in text
    assert f"{document['pipe']['batch_size']:,}" in text
    assert [quota["fits"] for quota in document["quotas"]] == [True] * 9


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--events-per-second", "0", "--events-per-second must be above 0, up to 1e8"),
        ("--events-per-second", "nan", "--events-per-second must be above 0, up to 1e8"),
        ("--products", "0", "--products must be from 1 to 1e11"),
        ("--event-size", "10", "--event-size must be from 60 to 390,000 bytes"),
        ("--retention", "9000", "--retention must be from 24 to 8,760 hours"),
        ("--turnover", "101", "--turnover must be from 0 to 100 percent"),
        ("--latency", "0.5", "--latency must be from 1 to 300 seconds"),
        ("--hottest", "0.1", "--hottest must be from 1 (all products alike) to 100 percent"),
        ("--region", "mars-north-1", "mars-north-1 is not a Region that has Kinesis."),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(option: str, value: str, says: str) -> None:
    arguments = {"--events-per-second": "10", "--products": "100", "--event-size": "200"}
    given_options = [part for pair in (arguments | {option: value}).items() for part in pair]

    code, said = run(*given_options)

    assert (code, said) == (2, f"Error: {says}\n")
