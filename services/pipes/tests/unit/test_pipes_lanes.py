"""Lanes: order kept per partition key, the rest side by side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.lanes import by_lane

KEYS = st.lists(st.text(max_size=3), max_size=60)


def keyed(keys: list[str]) -> list[Record]:
    return [Record(f"s:{i}", str(i), 0.0, "{}", key) for i, key in enumerate(keys)]


@given(KEYS, st.integers(1, 10))
def test_each_record_is_in_one_lane_and_a_key_in_one_lane_in_its_order(
    keys: list[str], lanes: int
) -> None:
    page = keyed(keys)
    shares = by_lane(page, lanes)
    assert len(shares) == lanes
    assert sorted((r for share in shares for r in share), key=page.index) == page
    for key in set(keys):
        holding = [share for share in shares if any(r.partition_key == key for r in share)]
        assert len(holding) == 1
        of_key = [r for r in holding[0] if r.partition_key == key]
        assert of_key == [r for r in page if r.partition_key == key]


@given(KEYS, st.integers(1, 10))
def test_a_key_has_the_same_lane_in_every_page(keys: list[str], lanes: int) -> None:
    first, second = by_lane(keyed(keys), lanes), by_lane(keyed(keys[::-1]), lanes)
    for one, other in zip(first, second, strict=True):
        assert {r.partition_key for r in one} == {r.partition_key for r in other}


def test_many_keys_fill_all_lanes() -> None:
    shares = by_lane(keyed([f"product-{n}" for n in range(1000)]), 10)
    assert min(map(len, shares)) > 50
