"""What is told of the cost before anything is made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inventory_cli.planning.idle import idle, monthly

from inventory_cli.planning.book import Price

PRICES = {
    name: Price(dollars, "", "", "", "")
    for name, dollars in {
        "kinesis.shard_hour": 0.5,
        "sqs.million_requests": 1.0,
        "kms.ten_thousand_requests": 10.0,
        "cloudwatch.alarm_month": 0.25,
        "cloudwatch.dashboard_month": 3.0,
    }.items()
}


def test_each_item_is_what_its_formula_says() -> None:
    items = {item.name: item for item in idle(4, {"alarm": 8, "dashboard": 1}, PRICES)}

    assert items["stream of 4 shards"].dollars == 4 * 730 * 0.5
    assert items["stream of 4 shards"].formula == "4 x 730 h x 0.5"
    assert items["Lambda polling the alerts queue"].dollars == pytest.approx(0.657)
    assert items["KMS for the stream"].dollars == pytest.approx(8.64)
    assert items["8 alarms"].dollars == 2
    assert items["1 dashboard"].dollars == 3


@given(st.integers(1, 10_000))
def test_the_sum_is_that_of_the_items_and_grows_with_the_shards_alone(shards: int) -> None:
    less, more = (sum(i.dollars for i in idle(n, {}, PRICES)) for n in (shards, shards + 1))

    assert more - less == pytest.approx(730 * 0.5)


def test_a_region_without_prices_is_told_those_of_another_and_that_they_are() -> None:
    there, elsewhere = (monthly(region, 2, {}) for region in ("us-east-1", "mars-north-1"))

    assert "Prices of us-east-1, not checked" in there
    assert "Prices of us-east-1 (some of mars-north-1 are not known), not checked" in elsewhere
    assert there.splitlines()[:-2] == elsewhere.splitlines()[:-2]
