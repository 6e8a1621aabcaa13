from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.runners import polling

seconds = st.floats(0, 1e6)


def test_a_shard_that_has_more_is_read_on_at_once() -> None:
    assert polling.pause(idle=0.0, behind=True, floor=0.0) == 0


def test_a_shard_in_use_is_read_again_after_some_milliseconds() -> None:
    assert polling.pause(idle=0.0, behind=False, floor=0.0) <= 0.015
    assert polling.pause(idle=0.05, behind=False, floor=0.0) <= 0.015


def test_an_idle_shard_is_read_four_times_a_second() -> None:
    assert polling.pause(idle=60.0, behind=False, floor=0.0) == 0.250


def test_a_server_that_takes_long_to_say_nothing_is_left_alone_for_longer() -> None:
    rest = polling.rest(took=0.05)
    assert polling.pause(idle=0.1, behind=False, floor=0.0, rest=rest) == 0.1


def test_an_answer_that_came_late_once_keeps_a_shard_no_longer_than_being_empty_does() -> None:
    assert polling.rest(took=9.0) == polling.LONGEST_PAUSE


def test_a_shard_that_gives_nothing_for_a_second_falls_asleep() -> None:
    assert not polling.falls_asleep(idle=0.9, behind=False)
    assert polling.falls_asleep(idle=1.1, behind=False)


def test_a_shard_with_records_further_on_stays_awake() -> None:
    assert not polling.falls_asleep(idle=60.0, behind=True)


def test_a_shard_that_slept_a_minute_is_read_every_0_4_seconds() -> None:
    assert polling.sleeping_pause(60.0) == 0.4


def test_polls_of_empty_shards_take_a_third_of_the_time_at_most() -> None:
    assert polling.rest(took=0.1) == pytest.approx(0.2)
    assert polling.sleepers_rest(took=0.3) == pytest.approx(0.6)


def test_sleeping_shards_are_polled_at_most_two_hundred_times_a_second() -> None:
    assert polling.POLLS_AT_ONCE / polling.sleepers_rest(took=0.0) <= 200


@given(seconds, seconds)
def test_no_shard_is_read_more_often_asleep_than_awake(idle: float, longer: float) -> None:
    awake = polling.pause(idle, behind=False, floor=0.0)
    assert awake <= polling.sleeping_pause(idle) <= polling.sleeping_pause(idle + longer)


def test_a_shard_that_throttles_is_read_at_most_five_times_a_second_from_then_on() -> None:
    floor = polling.floor_when_throttled(0.0)
    assert floor >= 0.2
    floor = polling.floor_when_served(floor)
    assert polling.pause(idle=0.0, behind=True, floor=floor) >= 0.2


def test_throttling_that_goes_on_slows_reading_down_and_being_served_undoes_that() -> None:
    floor = 0.0
    for _ in range(20):
        floor = polling.floor_when_throttled(floor)
    assert floor == polling.LONGEST_THROTTLED_PAUSE
    assert polling.floor_when_served(floor) == polling.THROTTLED_PAUSE


def test_a_shard_that_never_throttles_has_no_floor() -> None:
    assert polling.floor_when_served(0.0) == 0.0


@given(seconds, seconds, st.floats(0, 5))
def test_the_longer_a_shard_is_idle_the_longer_the_pause(
    idle: float, longer: float, floor: float
) -> None:
    first, second = sorted([idle, idle + longer])
    assert polling.pause(first, False, floor) <= polling.pause(second, False, floor)


@given(seconds, st.booleans(), st.floats(0, 5))
def test_the_pause_stays_in_its_bounds(idle: float, behind: bool, floor: float) -> None:
    assert floor <= polling.pause(idle, behind, floor) <= max(floor, polling.LONGEST_PAUSE)
