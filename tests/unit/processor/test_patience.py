"""How long the function goes on trying, and how often: pure arithmetic."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.processor.outages import LASTING, TRANSIENT, Time

from inventory_aws.errors import is_transient
from processor.patience import ONE_TRY, Schedule, budget

TIMES = st.floats(0.001, 100)


def test_pauses_double_up_to_the_longest() -> None:
    schedule = Schedule(first=0.1, longest=1.0)
    assert [schedule.pause(tries, 0.0) for tries in range(1, 7)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@given(TIMES, TIMES, st.integers(1, 10_000), st.floats(0, 1))
def test_a_pause_is_never_longer_than_the_longest_nor_less_than_half_of_what_it_would_be(
    first: float, longest: float, tries: int, dice: float
) -> None:
    schedule = Schedule(first, longest)
    whole = schedule.pause(tries, 0.0)
    assert whole <= longest
    assert whole / 2 <= schedule.pause(tries, dice) <= whole
    assert whole <= schedule.pause(tries + 1, 0.0)


@given(TIMES, TIMES, st.floats(0, 300))
def test_nothing_waits_beyond_the_time_that_there_is(
    first: float, longest: float, seconds: float
) -> None:
    time = Time()
    patience = time.patience(seconds, Schedule(first, longest))
    tries = 1
    while patience.wait(tries) and tries < 200:
        tries += 1
    assert time.now <= 1000 + seconds


def test_a_pause_that_would_leave_no_time_for_a_try_is_not_made() -> None:
    time = Time()
    assert not time.patience(0.05).wait(1)
    assert time.pauses == []


@given(st.floats(0, 300))
def test_half_of_a_patience_is_half_of_the_time_that_is_left(seconds: float) -> None:
    time = Time()
    patience = time.patience(seconds)
    assert patience.half().until == pytest.approx(1000 + seconds / 2)
    time.now += seconds
    assert not patience.half().lasts


def test_one_try_is_one_try() -> None:
    assert ONE_TRY.lasts
    assert not ONE_TRY.wait(1)
    assert not ONE_TRY.half().wait(1)
    assert ONE_TRY.until == math.inf


@given(st.floats(0, 900), st.floats(0, 60))
def test_the_margin_is_kept_where_it_leaves_half(remaining: float, margin: float) -> None:
    begun = budget(remaining, margin)
    assert remaining / 2 <= begun <= remaining
    assert begun == max(remaining - margin, remaining / 2)


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
def test_throttling_faults_and_lost_connections_pass(error: Exception) -> None:
    assert is_transient(error)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_what_is_refused_for_good_is_not_asked_again(error: Exception) -> None:
    assert not is_transient(error)  # type: ignore[arg-type]
