from __future__ import annotations

import random
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_aws.retry import Backoff
from producer.pacing import CATCH_UP, natural, next_due, steady, unpaced


@given(fraction=st.floats(0, 1, exclude_max=True))
def test_at_the_original_pace_events_are_half_a_second_to_one_and_a_half_apart(
    fraction: float,
) -> None:
    assert 0.5 <= next(natural(lambda: fraction)) <= 1.5


def test_the_original_pace_varies() -> None:
    assert len(set(islice(natural(random.Random(1).random), 10))) == 10


@given(rate=st.floats(0.01, 2000), seconds=st.integers(1, 5))
def test_a_steady_pace_keeps_its_rate(rate: float, seconds: int) -> None:
    events = max(1, int(rate * seconds))
    assert sum(islice(steady(rate), events)) == pytest.approx(events / rate)


def test_unpaced_events_are_all_due() -> None:
    assert set(islice(unpaced(), 10)) == {0.0}


times = st.floats(0, 1e6)


@given(due=times, gap=st.floats(0, 10), now=times)
def test_the_due_time_keeps_the_rate_and_makes_up_for_a_second_at_most(
    due: float, gap: float, now: float
) -> None:
    assert next_due(due, gap, now) == max(due + gap, now - CATCH_UP)


@given(attempt=st.integers(1, 10_000), fraction=st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_longer_than_the_longest_nor_shorter_than_half_the_first(
    attempt: int, fraction: float
) -> None:
    assert 0.025 <= Backoff().pause(attempt, fraction) <= 5
