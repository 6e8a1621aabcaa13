from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.execution.batch import BatchRules, Cut, cut
from eventbridge_pipes.targets.target import PAYLOAD_LIMIT

sizes = st.lists(st.integers(1, 50), max_size=40)
rules = st.builds(
    BatchRules,
    size=st.integers(1, 12),
    window=st.floats(0, 300),
    payload=st.integers(2, 120),
)


def test_without_a_window_a_batch_leaves_as_soon_as_there_are_records() -> None:
    assert cut([10], waited=0, ending=False, rules=BatchRules(size=100)) == Cut(1)


def test_with_a_window_records_wait_for_the_rest_of_it() -> None:
    ten_seconds = BatchRules(size=100, window=10)
    assert cut([10, 10], waited=4, ending=False, rules=ten_seconds) == Cut(0, wait=6)
    assert cut([10, 10], waited=10, ending=False, rules=ten_seconds) == Cut(2)


def test_a_full_batch_does_not_wait_for_its_window() -> None:
    assert cut([1] * 5, waited=0, ending=False, rules=BatchRules(size=3, window=10)) == Cut(3)


def test_a_payload_at_its_limit_does_not_wait_for_its_window() -> None:
    large = BatchRules(size=100, window=10)
    assert cut([PAYLOAD_LIMIT // 2] * 3, 0, False, large) == Cut(1)
    assert cut([PAYLOAD_LIMIT - 1, 1], 0, False, large) == Cut(1)


def test_the_last_records_of_a_shard_do_not_wait() -> None:
    assert cut([1], waited=0, ending=True, rules=BatchRules(size=3, window=10)) == Cut(1)


def test_with_nothing_waiting_there_is_nothing_to_wait_for() -> None:
    assert cut([], waited=0, ending=False, rules=BatchRules(size=3, window=10)) == Cut(0)


def test_a_record_over_the_payload_limit_leaves_alone() -> None:
    assert cut([PAYLOAD_LIMIT * 2, 1], 0, False, BatchRules(size=3)) == Cut(1)


@given(sizes, st.floats(0, 600), st.booleans(), rules)
def test_a_batch_is_never_larger_than_the_rules_allow(
    sizes: list[int], waited: float, ending: bool, rules: BatchRules
) -> None:
    count = cut(sizes, waited, ending, rules).count
    assert count <= rules.size
    assert count <= 1 or 1 + sum(sizes[:count]) <= rules.payload


@given(sizes, st.floats(0, 600), st.booleans(), rules)
def test_records_either_leave_or_are_looked_at_again_before_the_window_ends(
    sizes: list[int], waited: float, ending: bool, rules: BatchRules
) -> None:
    due = cut(sizes, waited, ending, rules)
    if sizes and due.count == 0:
        assert due.wait is not None
        assert 0 < due.wait <= rules.window
        assert not ending
        assert cut(sizes, rules.window, ending, rules).count > 0


@given(sizes, rules)
def test_every_record_leaves_in_the_end(sizes: list[int], rules: BatchRules) -> None:
    left = list(sizes)
    while left:
        count = cut(left, rules.window, True, rules).count
        assert count > 0
        left = left[count:]
