from __future__ import annotations

import random
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.pacing import CATCH_UP, in_batches, natural, next_due, steady, unpaced
from producer.retry import Retry


@given(fraction=st.floats(0, 1, exclude_max=True))
def test_at_the_original_pace_events_are_half_a_second_to_one_and_a_half_apart(
    fraction: float,
) -> None:
    assert 0.5 <= next(natural(lambda: fraction)) <= 1.5


def test_the_original_pace_varies() -> None:
    assert len(set(islice(natural(random.Random(1).random), 10))) == 10


@given(rate=st.floats(0.01, 2000), seconds=st.integers(1, 5))
def test_a_batch_keeps_the_rate_that_single_events_have(rate: float, seconds: int) -> None:
    events = max(1, int(rate * seconds))
    assert sum(islice(steady(rate), events)) == pytest.approx(events / rate)
    grouped = sum(islice(in_batches(rate), events))
    assert events / rate - max(0.1, 1 / rate) <= grouped <= events / rate + 0.001


def test_a_batch_makes_a_tenth_of_a_second_due_at_once() -> None:
    assert list(islice(in_batches(50), 6)) == [0, 0, 0, 0, pytest.approx(0.1), 0]
    assert list(islice(in_batches(2), 3)) == [0.5] * 3


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
    assert 0.025 <= Retry().pause(attempt, fraction) <= 5
