from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.runners.pages import FIRST_PAGE_RECORDS, PAGE_BYTES, PageLimit, page_limit
from pipes_samples import record, records


@given(st.integers(1, 10_000), st.integers(0, 10**8))
def test_a_page_is_asked_for_that_fits_into_memory(count: int, size: int) -> None:
    limit = page_limit(count, size)
    assert 1 <= limit <= 10_000
    assert limit == 1 or limit * (size // count) <= PAGE_BYTES


def test_nothing_known_of_the_records_the_first_page_is_small() -> None:
    assert PageLimit().records == FIRST_PAGE_RECORDS


def test_small_records_are_asked_for_by_the_largest_page_that_kinesis_gives() -> None:
    limit = PageLimit()
    limit.learn(records(3))
    assert limit.records == 10_000


def test_large_records_are_asked_for_a_few_at_a_time() -> None:
    limit = PageLimit()
    limit.learn([record(1, size=1024 * 1024)])
    assert limit.records == 4
