from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from inventory.ulid import ALPHABET, encode, fresh, seeded


@given(a=st.integers(0, 2**128 - 1), b=st.integers(0, 2**128 - 1))
def test_the_text_is_26_characters_and_sorts_like_the_number(a: int, b: int) -> None:
    assert len(encode(a)) == 26
    assert set(encode(a)) <= set(ALPHABET)
    assert (encode(a) < encode(b)) is (a < b)


def test_the_first_ten_characters_are_the_milliseconds() -> None:
    # The example of the specification: 01ARYZ6S41 is 1469918176385.
    assert next(fresh(clock=lambda: 1469918176.385, entropy=bytes)).startswith("01ARYZ6S41")


@given(times=st.lists(st.integers(0, 10), min_size=2, max_size=20))
def test_ids_rise_even_when_the_clock_stands_still_or_goes_back(times: list[int]) -> None:
    clock = iter(times)
    ids = list(islice(fresh(clock=lambda: next(clock), entropy=lambda n: b"\xff" * n), len(times)))
    assert ids == sorted(set(ids))


def test_seeds_share_no_ids() -> None:
    runs = [set(islice(seeded(seed), 100)) for seed in (1, -1, 11)]
    assert len(set.union(*runs)) == 300
