"""The decisions about a queue."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.outcome import Failed, Fault, Succeeded
from eventbridge_pipes.runners.queue_rules import (
    CALL_LIMIT,
    LONGEST_VISIBILITY,
    MOST_BATCHES,
    batches_at_once,
    settled,
    to_receive,
    visibility_for,
)
from pipes_queue_fakes import message

groups = st.lists(st.sampled_from("abc"), max_size=10)
positions = st.frozensets(st.integers(0, 9))


def test_after_a_failed_message_the_later_ones_of_its_group_count_as_failed() -> None:
    batch = [message(number, group) for number, group in enumerate("abab")]
    done, failed = settled(batch, Failed(frozenset({0}), "refused"), ordered=True)
    assert (done, failed) == ([batch[1], batch[3]], [batch[0], batch[2]])


def test_the_groups_of_a_standard_queue_do_not_matter() -> None:
    batch = [message(number, "a") for number in range(3)]
    done, failed = settled(batch, Failed(frozenset({0}), "refused"), ordered=False)
    assert (done, failed) == (batch[1:], batch[:1])


def test_a_message_without_a_group_holds_up_no_other() -> None:
    batch = [message(number) for number in range(3)]
    assert settled(batch, Failed(frozenset({0}), "refused"), ordered=False)[1] == batch[:1]


@given(groups, positions, st.booleans())
def test_each_message_is_either_done_with_or_failed_and_keeps_its_place(
    of_group: list[str], failing: frozenset[int], ordered: bool
) -> None:
    batch = [message(number, group) for number, group in enumerate(of_group)]
    failing &= frozenset(range(len(batch)))
    done, failed = settled(batch, Failed(failing, "refused"), ordered)
    assert sorted(done + failed, key=batch.index) == batch
    assert done == sorted(done, key=batch.index)
    assert {batch[position] for position in failing} <= set(failed)
    if not ordered:
        assert len(failed) == len(failing)


@given(groups, positions)
def test_nothing_is_deleted_behind_a_failure_of_its_group(
    of_group: list[str], failing: frozenset[int]
) -> None:
    batch = [message(number, group) for number, group in enumerate(of_group)]
    done, failed = settled(batch, Failed(failing, "refused"), ordered=True)
    for later in done:
        for earlier in failed:
            same = later.record.partition_key == earlier.record.partition_key
            assert not same or batch.index(later) < batch.index(earlier)
    # No more fails than has to: the first of its group to fail is one that was reported.
    for group in set(of_group):
        first = next((m for m in failed if m.record.partition_key == group), None)
        assert first is None or batch.index(first) in failing


def test_success_deletes_all_and_a_fault_nothing() -> None:
    batch = [message(number) for number in range(3)]
    assert settled(batch, Succeeded(), ordered=False) == (batch, [])
    assert settled(batch, Fault("unreachable"), ordered=False) == ([], batch)


@given(
    waiting=st.integers(0, 20_000),
    free=st.integers(-3, MOST_BATCHES),
    size=st.integers(1, 10_000),
    ordered=st.booleans(),
)
def test_no_more_is_received_than_one_call_gives_and_the_free_batches_hold(
    waiting: int, free: int, size: int, ordered: bool
) -> None:
    count = to_receive(waiting, free, size, ordered)
    assert 0 <= count <= CALL_LIMIT
    assert count == 0 or waiting + count <= (1 if ordered else free) * size
    if free > 0 and waiting < size:
        assert count > 0


def test_five_batches_are_under_way_at_first_and_one_more_each_second() -> None:
    assert [batches_at_once(busy) for busy in (0.0, 0.9, 1.0, 10.0, 1e6)] == [
        5,
        5,
        6,
        15,
        MOST_BATCHES,
    ]


def test_the_queues_own_visibility_timeout_is_kept_unless_the_window_takes_most_of_it() -> None:
    assert visibility_for(30, window=0) is None
    assert visibility_for(30, window=15) is None
    assert visibility_for(30, window=16) == 46
    assert visibility_for(0, window=300) == 300


@given(st.integers(0, LONGEST_VISIBILITY), st.integers(0, 300))
def test_a_message_stays_hidden_for_longer_than_its_window(timeout: int, window: int) -> None:
    asked = visibility_for(timeout, window)
    hidden = timeout if asked is None else asked
    assert min(window, timeout) <= hidden - window or hidden == LONGEST_VISIBILITY
    assert hidden <= LONGEST_VISIBILITY
