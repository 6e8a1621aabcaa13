from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_aws.retry import Retry
from producer.pace import Pace


def test_at_the_original_pace_events_are_half_a_second_to_one_and_a_half_apart() -> None:
    pace = Pace()
    gaps = [pace.gap() for _ in range(1000)]
    assert min(gaps) >= 0.5
    assert max(gaps) <= 1.5
    assert len(set(gaps)) > 900


@given(rate=st.floats(0.01, 2000), seconds=st.integers(1, 5))
def test_a_steady_pace_keeps_its_rate(rate: float, seconds: int) -> None:
    events = max(1, int(rate * seconds))
    pace = Pace(rate, batch=True)
    assert sum(pace.gap() for _ in range(events)) == pytest.approx(events / rate)


def test_events_of_a_batch_are_all_due() -> None:
    assert Pace(batch=True).gap() == 0.0


def test_a_changed_rate_holds_from_the_next_event_on() -> None:
    pace = Pace(10.0)
    assert pace.gap() == 0.1
    pace.set(4, paused=False)
    assert pace.gap() == 0.25
    pace.set(None, paused=False)
    assert pace.gap() >= 0.5


@given(attempt=st.integers(1, 10_000), fraction=st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_longer_than_the_longest_nor_shorter_than_half_the_first(
    attempt: int, fraction: float
) -> None:
    assert 0.025 <= Retry().pause(attempt, fraction) <= 5
