"""What charts and lists say."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given

from dashboard.controls.actions import rate_of
from dashboard.model.products import ShownRow
from dashboard.web.charts import without_flat_zeros
from dashboard.web.elements import clock_time
from dashboard.web.events import OUTCOMES
from dashboard.web.failures import hint
from dashboard.web.inventory import cells
from hostile_items import items
from inventory.items import row_of
from operations.verify.explain import RecordStatus


def test_zeros_are_drawn_only_where_a_line_comes_down_to_them() -> None:
    assert without_flat_zeros([0, 0, 5, 0, 0, 0]) == [None, 0, 5, 0, None, None]
    assert without_flat_zeros([0, 0]) == [None, None]
    assert without_flat_zeros([]) == []


@given(items())
def test_a_row_that_anybody_wrote_is_shown_in_the_inventory(item: dict[str, Any]) -> None:
    told = cells(ShownRow(row_of(item), 0.0))
    assert orjson.loads(orjson.dumps(told)) == told
    texts = [told[name] for name in ("product", "product_name", "quantity", "timestamp")]
    assert all(str(text).isprintable() for text in texts)


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "1001", "nan", "inf", "1e9"])
def test_what_is_no_rate_is_told_what_would_be_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Enter a number from 0\.1 to 1,000$"):
        rate_of(text)


def test_a_rate_may_be_typed_with_spaces_and_commas() -> None:
    assert (rate_of(" 0.5 "), rate_of("1,000")) == (0.5, 1000)


def test_the_list_of_failures_says_what_it_does_not_show() -> None:
    rejected = {"outcome": OUTCOMES[RecordStatus.REJECTED]}
    dead = {"outcome": OUTCOMES[RecordStatus.DEAD_LETTERED]}
    assert hint([], 0, 0) == "Nothing failed."
    assert hint([rejected], 1, 0) == "Select an event to see all of it."
    assert (
        hint([rejected], 3, 1) == "Not loaded: 2 rejected and 1 message of the dead-letter queue."
    )
    assert hint([dead], 0, 1) == "Select an event to see all of it."
    assert hint([], None, None) == "Not loaded: the queues, which do not answer."


def test_times_are_utc_and_have_a_date_unless_it_is_todays() -> None:
    assert clock_time(86_400 + 3_723, now=86_400) == "01:02:03"
    assert clock_time(3_723, now=86_400) == "1970-01-01 01:02:03"
