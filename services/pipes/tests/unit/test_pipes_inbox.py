"""The messages that a pipe holds: what may leave, in which order, and how much is received."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.execution.batch import BatchRules
from eventbridge_pipes.outcome import SUCCEEDED, Outcome, all_failed
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.inbox import (
    FIRST_BATCHES,
    MOST_BATCHES,
    Inbox,
    batches_at_once,
    settled,
    to_receive,
)
from eventbridge_pipes.sources.sqs import CALL_LIMIT
from pipes_queue_fakes import message

T = TypeVar("T")

groups = st.lists(st.sampled_from("abc"), max_size=10)
positions = st.frozensets(st.integers(0, 9))


class Waiting(Generic[T]):
    """A call that may have to wait, in a thread of its own."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._answers: list[T] = []
        self._thread = threading.Thread(target=lambda: self._answers.append(call()), daemon=True)
        self._thread.start()

    def ended(self, within: float) -> bool:
        self._thread.join(within)
        return not self._thread.is_alive()

    def answer(self) -> T:
        assert self.ended(within=10)
        return self._answers[0]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def messages(*numbers: int, group: str = "") -> list[Record]:
    return [message(number, group) for number in numbers]


def bodies(batch: list[Record]) -> list[str]:
    return [m.body for m in batch]


def test_without_a_window_what_is_there_leaves_at_once_in_its_order() -> None:
    inbox = Inbox(BatchRules(size=10), ordered=False)
    inbox.put(messages(1, 2, 3))
    assert bodies(inbox.take()) == ["1", "2", "3"]


def test_more_than_a_batch_leaves_in_several() -> None:
    inbox = Inbox(BatchRules(size=2), ordered=False)
    inbox.put(messages(1, 2, 3))
    assert [bodies(inbox.take()), bodies(inbox.take())] == [["1", "2"], ["3"]]


def test_several_receives_make_one_batch_of_the_size_that_was_asked_for() -> None:
    inbox = Inbox(BatchRules(size=25, window=300.0), ordered=False)
    taking = Waiting(inbox.take)
    inbox.put(messages(*range(10)))
    inbox.put(messages(*range(10, 20)))
    assert not taking.ended(within=0.05)
    inbox.put(messages(*range(20, 30)))
    assert bodies(taking.answer()) == [str(number) for number in range(25)]


def test_a_batch_leaves_before_it_is_larger_than_a_payload() -> None:
    inbox = Inbox(BatchRules(size=100, window=300.0, payload=250), ordered=False)
    inbox.put([message(number, size=99) for number in range(3)])
    assert len(inbox.take()) == 2


def test_the_window_counts_from_the_oldest_message() -> None:
    clock = Clock()
    inbox = Inbox(BatchRules(size=10, window=5.0), ordered=False, monotonic=clock)
    inbox.put(messages(1))
    clock.now = 4.0
    inbox.put(messages(2))
    clock.now = 5.0
    assert bodies(inbox.take()) == ["1", "2"]


def test_nothing_is_received_while_all_batches_are_under_way() -> None:
    clock = Clock()
    inbox = Inbox(BatchRules(size=1), ordered=False, monotonic=clock)
    batches = []
    for number in range(FIRST_BATCHES):
        assert inbox.wanted() == FIRST_BATCHES - number
        inbox.put(messages(number))
        batches.append(inbox.take())
    wanting = Waiting(inbox.wanted)
    assert not wanting.ended(within=0.05)
    inbox.finished(batches[0])
    assert wanting.answer() == 1


def test_a_queue_that_goes_on_having_messages_gets_more_batches_under_way() -> None:
    clock = Clock()
    inbox = Inbox(BatchRules(size=1), ordered=False, monotonic=clock)
    inbox.put(messages(1))
    clock.now = 2.0
    inbox.put(messages(2))
    assert inbox.wanted() == FIRST_BATCHES + 2 - 2
    inbox.put([])
    inbox.put(messages(3))
    assert inbox.wanted() == FIRST_BATCHES - 3


def test_after_a_fault_of_the_target_receiving_pauses() -> None:
    clock = Clock()
    inbox = Inbox(BatchRules(size=10), ordered=False, monotonic=clock)
    inbox.put(messages(1))
    inbox.finished(inbox.take(), service_error=True)
    wanting = Waiting(inbox.wanted)
    assert not wanting.ended(within=0.1)
    clock.now = 60.0
    assert wanting.answer() == 10


def test_a_group_has_one_batch_under_way_at_a_time() -> None:
    inbox = Inbox(BatchRules(size=1), ordered=True)
    inbox.put([*messages(1, 2, group="a"), *messages(3, group="b")])
    first = inbox.take()
    assert bodies(first) == ["1"]
    assert bodies(inbox.take()) == ["3"]
    taking = Waiting(inbox.take)
    assert not taking.ended(within=0.05)
    inbox.finished(first)
    assert bodies(taking.answer()) == ["2"]


def test_the_groups_of_a_standard_queue_hold_up_nothing() -> None:
    inbox = Inbox(BatchRules(size=1), ordered=False)
    inbox.put(messages(1, 2, group="a"))
    assert [bodies(inbox.take()), bodies(inbox.take())] == [["1"], ["2"]]


def test_what_waits_behind_a_failed_message_of_its_group_is_left_to_the_queue() -> None:
    inbox = Inbox(BatchRules(size=1), ordered=True)
    inbox.put([*messages(1, 2, group="a"), *messages(3, group="b")])
    batch = inbox.take()
    inbox.finished(batch, failed=batch)
    assert bodies(inbox.take()) == ["3"]
    inbox.close()
    assert inbox.take() == []


def test_a_fifo_queue_is_asked_for_no_more_than_a_batch() -> None:
    inbox = Inbox(BatchRules(size=4), ordered=True)
    assert inbox.wanted() == 4
    assert Inbox(BatchRules(size=4), ordered=False).wanted() == 10


def test_stopping_wakes_who_waits_to_receive() -> None:
    inbox = Inbox(BatchRules(size=2), ordered=True)
    inbox.put(messages(1, 2, group="a"))
    waiting = Waiting(inbox.wanted)
    assert not waiting.ended(within=0.05)
    inbox.stop()
    assert waiting.answer() == 0


def test_what_the_last_receive_brings_leaves_without_waiting_for_its_window() -> None:
    inbox = Inbox(BatchRules(size=10, window=300.0), ordered=False)
    inbox.put(messages(1))
    inbox.stop()
    taking = Waiting(inbox.take)
    assert not taking.ended(within=0.05)
    inbox.put(messages(2))
    inbox.close()
    assert bodies(taking.answer()) == ["1", "2"]
    assert inbox.take() == []


def test_after_the_last_receive_a_group_still_leaves_one_batch_after_the_other() -> None:
    inbox = Inbox(BatchRules(size=1), ordered=True)
    inbox.put(messages(1, 2, group="a"))
    inbox.stop()
    inbox.close()
    first = inbox.take()
    taking = Waiting(inbox.take)
    assert not taking.ended(within=0.05)
    inbox.finished(first)
    assert bodies(taking.answer()) == ["2"]
    assert inbox.take() == []


def test_the_oldest_message_may_be_waiting_or_under_way() -> None:
    inbox = Inbox(BatchRules(size=1), ordered=False)
    assert inbox.oldest_arrival() is None
    inbox.put([replace(message(1), arrived=1.0), replace(message(2), arrived=2.0)])
    batch = inbox.take()
    assert inbox.oldest_arrival() == 1.0
    inbox.finished(batch)
    assert inbox.oldest_arrival() == 2.0


def test_after_a_failed_message_the_later_ones_of_its_group_count_as_failed() -> None:
    batch = [message(number, group) for number, group in enumerate("abab")]
    done, failed = settled(batch, Outcome(frozenset({0}), "refused"), ordered=True)
    assert (done, failed) == ([batch[1], batch[3]], [batch[0], batch[2]])


def test_the_groups_of_a_standard_queue_do_not_matter() -> None:
    batch = [message(number, "a") for number in range(3)]
    done, failed = settled(batch, Outcome(frozenset({0}), "refused"), ordered=False)
    assert (done, failed) == (batch[1:], batch[:1])


def test_a_message_without_a_group_holds_up_no_other() -> None:
    batch = [message(number) for number in range(3)]
    assert settled(batch, Outcome(frozenset({0}), "refused"), ordered=False)[1] == batch[:1]


@given(groups, positions, st.booleans())
def test_each_message_is_either_done_with_or_failed_and_keeps_its_place(
    of_group: list[str], failing: frozenset[int], ordered: bool
) -> None:
    batch = [message(number, group) for number, group in enumerate(of_group)]
    failing &= frozenset(range(len(batch)))
    done, failed = settled(batch, Outcome(failing, "refused"), ordered)
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
    done, failed = settled(batch, Outcome(failing, "refused"), ordered=True)
    for later in done:
        for earlier in failed:
            same = later.partition_key == earlier.partition_key
            assert not same or batch.index(later) < batch.index(earlier)
    # No more fails than has to: the first of its group to fail is one that was reported.
    for group in set(of_group):
        first = next((m for m in failed if m.partition_key == group), None)
        assert first is None or batch.index(first) in failing


def test_success_deletes_all_and_a_fault_nothing() -> None:
    batch = [message(number) for number in range(3)]
    assert settled(batch, SUCCEEDED, ordered=False) == (batch, [])
    assert settled(batch, all_failed(batch, "unreachable", service_error=True), ordered=False) == (
        [],
        batch,
    )


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
