from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.runners import polling
from eventbridge_pipes.runners.budget import Budget

NOW = 1000.0


def budget() -> Budget:
    return Budget(monotonic=lambda: NOW)


def test_a_single_shard_rests_twice_as_long_as_it_was_kept_waiting() -> None:
    assert round(budget().rest(0.1), 9) == 0.2


@given(st.lists(st.floats(0, 0.1), min_size=1))
def test_shards_that_ask_at_the_same_time_rest_one_after_the_other(took: list[float]) -> None:
    common = budget()
    rests = [common.rest(seconds) for seconds in took]
    assert rests == sorted(rests)
    assert abs(rests[-1] - sum(polling.rest(seconds) for seconds in took)) < 1e-6


def test_what_was_spent_long_ago_is_forgotten() -> None:
    now = [NOW]
    common = Budget(monotonic=lambda: now[0])
    for _ in range(10):
        common.rest(0.1)
    now[0] += 60
    assert round(common.rest(0.1), 9) == 0.2
