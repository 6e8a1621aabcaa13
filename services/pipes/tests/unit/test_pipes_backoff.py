"""Pauses between tries that fail, and which of the failures are logged."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.backoff import FIRST_PAUSE, LONGEST_PAUSE, growing_pause, should_log


def test_the_pause_doubles_up_to_a_limit() -> None:
    pauses = [growing_pause(tries, jitter=lambda: 1.0) for tries in (1, 2, 3, 10_000)]
    assert pauses == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, LONGEST_PAUSE]


@given(st.integers(0, 10_000))
def test_the_pause_never_shrinks(tries: int) -> None:
    shorter, longer = (growing_pause(count, jitter=lambda: 1.0) for count in (tries, tries + 1))
    assert shorter <= longer <= LONGEST_PAUSE


@given(st.integers(0, 20), st.floats(0, 1))
def test_jitter_takes_away_at_most_half_of_the_pause(tries: int, random: float) -> None:
    whole = growing_pause(tries, jitter=lambda: 1.0)
    assert growing_pause(tries, jitter=lambda: 0.0) == whole / 2
    assert whole / 2 <= growing_pause(tries, jitter=lambda: random) <= whole


def test_pauses_after_the_same_number_of_tries_differ() -> None:
    assert len({growing_pause(3) for _ in range(10)}) > 1


def test_failures_in_a_row_are_told_ever_more_seldom() -> None:
    assert [n for n in range(1, 20) if should_log(n)] == [1, 2, 4, 8, 16]
