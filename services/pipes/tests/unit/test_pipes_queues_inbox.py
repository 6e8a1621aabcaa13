"""What a pipe has in hand of a queue: what may leave, in which order, and how much is received."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

import pytest

from eventbridge_pipes.execution.batch import BatchRules
from eventbridge_pipes.runners.queue_inbox import Inbox
from eventbridge_pipes.runners.queue_rules import FIRST_BATCHES
from eventbridge_pipes.sources.queue import Message
from pipes_queue_fakes import message

T = TypeVar("T")


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


def messages(*numbers: int, group: str = "") -> list[Message]:
    return [message(number, group) for number in numbers]


def bodies(batch: list[Message]) -> list[str]:
    return [m.record.body for m in batch]


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
    inbox.finished(inbox.take(), fault=True)
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
    inbox.stop()
    assert inbox.empty_out() == []


def test_a_fifo_queue_is_asked_for_no_more_than_a_batch() -> None:
    inbox = Inbox(BatchRules(size=4), ordered=True)
    assert inbox.wanted() == 4
    assert Inbox(BatchRules(size=4), ordered=False).wanted() == 10


@pytest.mark.parametrize("wait", [Inbox.wanted, Inbox.take])
def test_stopping_wakes_who_waits(wait: Callable[[Inbox], object]) -> None:
    inbox = Inbox(BatchRules(size=2, window=300.0), ordered=True)
    inbox.put(messages(1, 2, group="a"))
    inbox.take()
    inbox.put(messages(3, 4, group="a"))
    waiting = Waiting(lambda: wait(inbox))
    assert not waiting.ended(within=0.05)
    inbox.stop()
    assert not waiting.answer()


def test_what_comes_too_late_is_not_let_in_and_what_waited_is_given_out() -> None:
    inbox = Inbox(BatchRules(size=10, window=300.0), ordered=False)
    inbox.put(messages(1))
    inbox.stop()
    assert not inbox.put(messages(2))
    assert bodies(inbox.empty_out()) == ["1"]


def test_the_oldest_message_in_hand_may_be_waiting_or_under_way() -> None:
    inbox = Inbox(BatchRules(size=1), ordered=False)
    assert inbox.oldest_arrival() is None
    old, new = (Message(replace(m.record, arrived=t), m.receipt) for m, t in sent())
    inbox.put([old, new])
    batch = inbox.take()
    assert inbox.oldest_arrival() == 1.0
    inbox.finished(batch)
    assert inbox.oldest_arrival() == 2.0


def sent() -> list[tuple[Message, float]]:
    return [(message(1), 1.0), (message(2), 2.0)]
