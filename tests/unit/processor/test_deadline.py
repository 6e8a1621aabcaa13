"""How long the function retries calls, and how often."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.processor.outages import LASTING, TRANSIENT, Time

from inventory_aws.errors import is_transient
from processor.calls import BACK_OFF, budget, chunks


def test_pauses_double_up_to_five_seconds() -> None:
    pauses = [BACK_OFF.pause(attempt, 0.0) for attempt in range(1, 9)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_chance_shortens_a_pause_by_up_to_half(attempt: int, fraction: float) -> None:
    whole = BACK_OFF.pause(attempt, 0.0)
    assert whole / 2 <= BACK_OFF.pause(attempt, fraction) <= whole <= BACK_OFF.longest
    assert whole <= BACK_OFF.pause(attempt + 1, 0.0)


@given(st.floats(0, 300))
@example(0.1)
def test_no_wait_ends_after_the_deadline(seconds: float) -> None:
    time = Time()
    deadline = time.deadline_in(seconds)
    attempt = 1
    while deadline.wait(attempt) and attempt < 200:
        attempt += 1
    assert time.now <= 1000 + seconds
    assert not deadline.has_passed or deadline.at == 1000


def test_no_pause_is_made_that_leaves_no_time_for_an_attempt() -> None:
    time = Time()
    assert not time.deadline_in(0.05).wait(1)
    assert time.pauses == []


@given(st.floats(0, 300))
def test_halfway_to_a_deadline_is_half_of_the_time_that_is_left(seconds: float) -> None:
    time = Time()
    deadline = time.deadline_in(seconds)
    assert deadline.halfway().at == pytest.approx(1000 + seconds / 2)
    time.now += seconds
    assert deadline.halfway().has_passed


@given(st.floats(0, 900), st.floats(0, 60))
def test_the_margin_is_kept_if_it_leaves_half_of_the_time(remaining: float, margin: float) -> None:
    begun = budget(remaining, margin)
    assert remaining / 2 <= begun <= remaining
    assert begun == max(remaining - margin, remaining / 2)


@given(st.lists(st.integers(1, 120)))
def test_chunks_keep_the_order_and_the_limit(weights: list[int]) -> None:
    found = list(chunks(weights, 100, lambda weight: weight))
    assert [weight for chunk in found for weight in chunk] == weights
    assert all(sum(chunk) <= 100 or len(chunk) == 1 for chunk in found)
    assert all(sum(a) + b[0] > 100 for a, b in pairwise(found))


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
def test_throttling_faults_and_lost_connections_are_transient(error: Exception) -> None:
    assert is_transient(error)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_a_rejected_call_is_not_transient(error: Exception) -> None:
    assert not is_transient(error)  # type: ignore[arg-type]
