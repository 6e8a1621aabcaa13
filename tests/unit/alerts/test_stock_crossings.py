"""A threshold is crossed once on the way down or up, and not at every event beyond it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.crossings import Thresholds, crossed, crossings
from alerts.occurrence import Kind

LEVELS = st.integers(0, 30) | st.none()
BOTH = Thresholds(low=5, high=20)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (6, 5, [Kind.LOW_STOCK]),
        (5, 4, []),
        (4, 6, []),
        (None, 5, [Kind.LOW_STOCK]),
        (20, 21, [Kind.HIGH_STOCK]),
        (21, 22, []),
        (22, 20, []),
        (None, 21, [Kind.HIGH_STOCK]),
        (None, 10, []),
        (3, None, []),
        (0, 99, [Kind.HIGH_STOCK]),
    ],
)
def test_stock_is_low_at_the_threshold_and_high_above_it(
    before: int | None, after: int | None, kinds: list[Kind]
) -> None:
    assert [*crossed(before, after, BOTH)] == kinds
    assert crossed(before, after, Thresholds(None, None)) == {}


@given(st.lists(LEVELS), LEVELS, LEVELS)
def test_between_two_alerts_of_a_product_its_level_was_on_the_other_side(
    levels: list[int | None], low: int | None, high: int | None
) -> None:
    beyond = {Kind.LOW_STOCK: False, Kind.HIGH_STOCK: False}
    before: int | None = None
    for after in levels:
        told = crossed(before, after, Thresholds(low, high))
        now = {
            Kind.LOW_STOCK: after is not None and low is not None and after <= low,
            Kind.HIGH_STOCK: after is not None and high is not None and after > high,
        }
        assert {kind: kind in told for kind in now} == {k: now[k] and not beyond[k] for k in now}
        beyond, before = now, after


def image(quantity: str | None, **more: Any) -> dict[str, Any]:
    level = {} if quantity is None else {"quantity": {"N": quantity}}
    return {"product_id": {"S": "P1"}, **level, **more}


def record(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any]:
    change: dict[str, Any] = {
        "Keys": {"product_id": {"S": "P1"}},
        "ApproximateCreationDateTime": 1700000000.0,
    }
    change |= {"OldImage": old} if old else {}
    change |= {"NewImage": new} if new else {}
    return {"eventID": "c1", "eventSource": "aws:dynamodb", "dynamodb": change}


def test_a_crossing_has_the_product_the_event_and_the_levels() -> None:
    ids = {"L": [{"S": "E1"}, {"S": "E2"}]}
    new = image("5", product_name={"S": "Tablet"}, recent_event_ids=ids)
    [found] = crossings(record(image("9"), new), BOTH)
    assert (found.kind, found.reason, found.at) == ("low_stock", "low_stock", 1.7e9)
    assert found.samples == [
        {
            "at": 1.7e9,
            "product_id": "P1",
            "product_name": "Tablet",
            "event_id": "E2",
            "quantity_before": 9,
            "quantity": 5,
            "threshold": 5,
        }
    ]


def test_the_texts_of_a_crossing_are_short() -> None:
    ids = {"L": [{"S": "E" * 9_000}]}
    new = image("5", product_name={"S": "T" * 9_000}, recent_event_ids=ids)
    [found] = crossings(record(image("9"), new), BOTH)
    assert {len(found.samples[0][name]) for name in ("product_name", "event_id")} == {256}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (image("9"), None),
        (image("9"), image("4.5")),
        (None, image(None)),
        (image("x"), image("x")),
        (None, image("1e400")),
        (image("9" * 38), image("NaN")),
    ],
)
def test_a_removed_row_or_one_without_a_level_crosses_nothing(
    old: dict[str, Any] | None, new: dict[str, Any] | None
) -> None:
    assert list(crossings(record(old, new), Thresholds(low=5, high=None))) == []
