"""A pipe's threads over a queue in memory: what is delivered and deleted, whatever goes wrong."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from eventbridge_pipes.outcome import SUCCEEDED, Outcome, all_failed
from eventbridge_pipes.pattern import Filter
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.inbox import Inbox
from eventbridge_pipes.runners.queue import WAIT_SECONDS, QueueRunner
from eventbridge_pipes.sources.source import SourceError, SourceNotFoundError
from eventbridge_pipes.sources.sqs import KIND as SQS
from eventbridge_pipes.sources.sqs import NotDeleted
from eventbridge_pipes.telemetry.metrics import PipeTelemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_queue_fakes import FakeExecutor, FakeQueue
from pipes_samples import PIPE
from pipes_telemetry import counted
from waiting import eventually

WORDS = [f"word {number}" for number in range(250)]


def pipe(**parameters: Any) -> Pipe:
    queue = "arn:aws:sqs:us-east-1:000000000000:sample"
    return replace(PIPE, source=queue, source_parameters={"SqsQueueParameters": parameters})


class Runs:
    """Starts pipes, and ends those that a test leaves running."""

    def __init__(self) -> None:
        self.queue = FakeQueue()
        self.executor = FakeExecutor()
        self.filter = Filter([])
        self.telemetry = PipeTelemetry(PIPE.arn, PrometheusMetrics())
        self._started: list[QueueRunner] = []

    def runner(self, **parameters: Any) -> QueueRunner:
        queue = self.queue.as_queue()
        runner = QueueRunner(
            pipe(**parameters), queue, self.executor.execute, self.filter, self.telemetry
        )
        self._started.append(runner)
        return runner

    def start(self, **parameters: Any) -> QueueRunner:
        runner = self.runner(**parameters)
        runner.start()
        return runner

    def stop(self) -> None:
        self.queue.end_receives()
        for runner in self._started:
            runner.stop()
            assert runner.join(10)


@pytest.fixture
def runs() -> Iterator[Runs]:
    runs = Runs()
    yield runs
    runs.stop()


def cleared(queue: FakeQueue) -> bool:
    return not queue.visible and not queue.hidden


def test_all_messages_are_delivered_and_deleted(runs: Runs) -> None:
    runs.queue.send(*WORDS)
    runs.start()
    eventually(lambda: cleared(runs.queue), timeout=10)
    assert sorted(runs.executor.delivered) == sorted(WORDS)
    assert all(len(batch) <= 10 for batch in runs.executor.batches)
    assert counted(runs.telemetry, "records_read_total") == len(WORDS)


def test_what_the_filter_leaves_out_is_deleted_without_being_delivered(runs: Runs) -> None:
    pattern = '{"body": [{"anything-but": ["b", "d"]}]}'
    runs.filter = Filter.parse([pattern], SQS)
    runs.queue.send("a", "b", "c", "d")
    runs.start()
    eventually(lambda: cleared(runs.queue), timeout=10)
    assert runs.executor.delivered == ["a", "c"]
    assert counted(runs.telemetry, "records_read_total") == 4
    assert counted(runs.telemetry, "records_filtered_total") == 2


def test_only_failed_messages_stay_and_are_delivered_when_they_are_visible_again(
    runs: Runs,
) -> None:
    def refuse_b_at_first(words: list[str]) -> Outcome:
        first = len(runs.executor.batches) == 1
        return Outcome(frozenset({1}), "refused") if first else SUCCEEDED

    runs.executor.outcome = refuse_b_at_first
    runs.queue.send("a", "b", "c")
    runs.start()
    eventually(lambda: runs.queue.hidden == ["b"], timeout=10)
    assert runs.executor.batches == [["a", "b", "c"]]
    runs.queue.expire()
    eventually(lambda: cleared(runs.queue), timeout=10)
    assert runs.executor.batches == [["a", "b", "c"], ["b"]]


UNREACHABLE = all_failed(range(1), "unreachable", service_error=True)


@pytest.mark.parametrize("outcome", [UNREACHABLE, Outcome(frozenset({0}), "refused")])
def test_a_batch_that_fails_whole_stays_in_the_queue(runs: Runs, outcome: Outcome) -> None:
    runs.executor.outcome = lambda words: outcome if words == ["a"] else SUCCEEDED
    runs.queue.send("a")
    runs.start()
    eventually(lambda: runs.executor.batches == [["a"]], timeout=10)
    runs.queue.send("b")
    eventually(lambda: runs.executor.delivered == ["a", "b"], timeout=10)
    eventually(lambda: runs.queue.hidden == ["a"], timeout=10)


def test_only_a_fault_of_the_target_holds_receiving_up(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished, told = Inbox.finished, []

    def finish(inbox: Inbox, batch: list[Record], failed: list[Record], fault: bool) -> None:
        told.append((batch[0].body, fault))
        finished(inbox, batch, failed, fault)

    outcomes: dict[str, Outcome] = {
        "a": SUCCEEDED,
        "b": all_failed("b", "refused"),
        "c": UNREACHABLE,
    }
    monkeypatch.setattr(Inbox, "finished", finish)
    runs.executor.outcome = lambda words: outcomes[words[0]]
    runs.queue.send("a", "b", "c")
    runs.start(BatchSize=1)
    eventually(lambda: sorted(told) == [("a", False), ("b", False), ("c", True)], timeout=10)


def test_a_route_that_breaks_loses_nothing(runs: Runs, caplog: pytest.LogCaptureFixture) -> None:
    def break_once(words: list[str]) -> Outcome:
        if len(runs.executor.batches) == 1:
            raise ValueError("broken")
        return SUCCEEDED

    runs.executor.outcome = break_once
    runs.queue.send("a")
    runs.start()
    eventually(lambda: runs.executor.batches == [["a"]] and runs.queue.hidden == ["a"], timeout=10)
    runs.queue.expire()
    eventually(lambda: cleared(runs.queue), timeout=10)


def test_batches_of_a_standard_queue_are_under_way_together(runs: Runs) -> None:
    together = threading.Barrier(3)

    def meet(words: list[str]) -> Outcome:
        together.wait(10)
        return SUCCEEDED

    runs.executor.outcome = meet
    runs.queue.send("a", "b", "c")
    runs.start(BatchSize=1)
    eventually(lambda: cleared(runs.queue), timeout=10)


def test_each_group_keeps_its_order_while_groups_are_delivered_side_by_side(runs: Runs) -> None:
    runs.queue = FakeQueue(ordered=True)
    sent = {group: [f"{group} {number}" for number in range(20)] for group in "abc"}
    for number in range(20):
        for group, words in sent.items():
            runs.queue.send(words[number], group=group)
    runs.start(BatchSize=3)
    eventually(lambda: cleared(runs.queue), timeout=10)
    delivered = runs.executor.delivered
    assert {group: [w for w in delivered if w[0] == group] for group in sent} == sent


def test_a_fifo_queue_is_asked_without_waiting_while_it_may_have_locked_groups(
    runs: Runs,
) -> None:
    go_on = threading.Event()

    def take_long(words: list[str]) -> Outcome:
        assert go_on.wait(10)
        return SUCCEEDED

    runs.queue = FakeQueue(ordered=True)
    runs.executor.outcome = take_long
    runs.start()
    runs.queue.send("a 1", group="a")
    eventually(lambda: runs.queue.waits[1:], timeout=10)
    assert runs.queue.waits[:2] == [WAIT_SECONDS, 0]
    runs.queue.send("b 1", group="b")
    eventually(lambda: runs.executor.delivered == ["a 1", "b 1"], timeout=10)
    go_on.set()
    eventually(lambda: cleared(runs.queue) and runs.queue.waits[-1] == WAIT_SECONDS, timeout=10)


def test_order_holds_behind_a_message_that_fails(runs: Runs) -> None:
    def refuse_a1_at_first(words: list[str]) -> Outcome:
        again = runs.executor.delivered.count("a 1") > 1
        failing = () if again else (i for i, word in enumerate(words) if word == "a 1")
        return Outcome(frozenset(failing), "refused")

    runs.queue = FakeQueue(ordered=True)
    runs.executor.outcome = refuse_a1_at_first
    runs.queue.send("a 0", "a 1", "a 2", group="a")
    runs.queue.send("b 0", "b 1", group="b")
    runs.start()
    eventually(lambda: sorted(runs.queue.hidden) == ["a 1", "a 2"], timeout=10)
    runs.queue.send("a 3", group="a")
    runs.queue.expire()
    eventually(lambda: cleared(runs.queue), timeout=10)
    after_failure = runs.executor.delivered[5:]
    assert [word for word in after_failure if word[0] == "a"] == ["a 1", "a 2", "a 3"]


def test_several_receives_make_up_a_large_batch(runs: Runs) -> None:
    runs.queue.send(*WORDS[:40])
    runs.start(BatchSize=30, MaximumBatchingWindowInSeconds=1)
    eventually(lambda: cleared(runs.queue), timeout=10)
    assert [len(batch) for batch in runs.executor.batches] == [30, 10]


def test_messages_that_wait_for_a_long_window_stay_hidden_for_it(runs: Runs) -> None:
    runs.start(MaximumBatchingWindowInSeconds=60)
    eventually(lambda: runs.queue.visibilities, timeout=10)
    assert runs.queue.visibilities[0] == 90


def test_without_a_window_the_queues_visibility_timeout_is_left_alone(runs: Runs) -> None:
    runs.start()
    eventually(lambda: runs.queue.visibilities, timeout=10)
    assert runs.queue.visibilities[0] is None


def test_stopping_waits_for_the_last_receive_and_delivers_what_it_brings(runs: Runs) -> None:
    runner = runs.start()
    eventually(lambda: runs.queue.receiving, timeout=10)
    runner.stop()
    assert not runner.join(0.05)
    runs.queue.send("late")
    assert runner.join(5)
    assert runs.executor.delivered == ["late"]
    assert cleared(runs.queue)
    assert len(runs.queue.counts) == 1


def test_a_receive_is_over_in_three_seconds() -> None:
    assert WAIT_SECONDS <= 3


def test_stopping_delivers_what_waits_for_its_batch(runs: Runs) -> None:
    runs.queue.send("a", "b")
    runner = runs.start(MaximumBatchingWindowInSeconds=300)
    eventually(lambda: runs.queue.hidden == ["a", "b"] and runs.queue.receiving, timeout=10)
    runner.stop()
    runs.queue.end_receives()
    assert runner.join(5)
    assert sorted(runs.executor.delivered) == ["a", "b"]
    assert cleared(runs.queue)


def test_no_thread_and_no_connection_of_a_stopped_pipe_is_left(runs: Runs) -> None:
    before = set(threading.enumerate())
    runs.queue.send(*WORDS[:30])
    runner = runs.start(BatchSize=1)
    eventually(lambda: cleared(runs.queue) and runs.queue.receiving, timeout=10)
    runner.stop()
    runs.queue.end_receives()
    assert runner.join(5)
    eventually(lambda: set(threading.enumerate()) <= before, timeout=1)
    assert not runs.queue.connected


@pytest.mark.parametrize("failing", [1, 2])
def test_a_pipe_whose_threads_cannot_be_started_can_be_started_again(
    failing: int, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`failing` is the thread that the system refuses."""
    before = set(threading.enumerate())
    runs.queue.send("a")
    runner = runs.runner()
    with monkeypatch.context() as patch:
        refuse_threads(patch, lambda number: number == failing)
        with pytest.raises(RuntimeError):
            runner.start()
    assert set(threading.enumerate()) <= before
    assert runner.join(0)
    assert runs.queue.counts == []
    runner.start()
    eventually(lambda: cleared(runs.queue), timeout=10)
    assert runs.executor.delivered == ["a"]


def test_without_a_thread_for_a_batch_the_pipe_delivers_one_after_the_other(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_threads(monkeypatch, lambda number: number > 2)
    runs.queue.send("a", "b", "c")
    runs.start(BatchSize=1)
    eventually(lambda: cleared(runs.queue), timeout=10)
    assert sorted(runs.executor.delivered) == ["a", "b", "c"]


def refuse_threads(patch: pytest.MonkeyPatch, refused: Callable[[int], bool]) -> None:
    """From now on, do not start those threads whose number is `refused`; the first is 1."""
    start, numbers = threading.Thread.start, itertools.count(1)

    def start_some(thread: threading.Thread) -> None:
        if refused(next(numbers)):
            raise RuntimeError("can't start new thread")
        start(thread)

    patch.setattr(threading.Thread, "start", start_some)


def test_stopping_waits_for_the_batch_at_the_target_and_deletes_it(runs: Runs) -> None:
    at_target, go_on = threading.Event(), threading.Event()

    def take_long(words: list[str]) -> Outcome:
        at_target.set()
        assert go_on.wait(10)
        return SUCCEEDED

    runs.executor.outcome = take_long
    runs.queue.send("a")
    runner = runs.start()
    assert at_target.wait(10)
    runner.stop()
    runs.queue.end_receives()
    assert not runner.join(0.05)
    go_on.set()
    assert runner.join(10)
    assert cleared(runs.queue)


def test_a_queue_that_is_missing_for_a_while_is_told_of_once(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    runs.queue.troubles = [
        SourceNotFoundError("no such queue"),
        SourceError("could not connect"),
        SourceError("could not connect"),
    ]
    runs.queue.send("a")
    runs.start()
    eventually(lambda: cleared(runs.queue), timeout=10)
    assert [r.message for r in caplog.records if "cannot receive" in r.message] == [
        "cannot receive from the queue, retrying: no such queue"
    ]
    assert "receiving from the queue again" in caplog.messages


def test_a_bug_while_receiving_does_not_end_the_pipe(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    runs.queue.troubles = [KeyError("Messages"), ValueError("broken")]
    runs.queue.send("a")
    runs.start()
    eventually(lambda: runs.executor.delivered == ["a"], timeout=10)
    assert [r.exc_info is not None for r in caplog.records if "cannot receive" in r.message] == [
        True,
        True,
    ]


def test_receives_that_fail_are_repeated_with_growing_pauses(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = record_pauses(monkeypatch)
    runs.queue.troubles = [SourceError("…"), KeyError("…"), SourceError("…"), TypeError("…")]
    runs.queue.send("a")
    runs.start()
    eventually(lambda: runs.executor.delivered == ["a"], timeout=10)
    assert_growing(pauses, [0.05, 0.1, 0.2, 0.4])


def test_a_queue_that_does_not_wait_for_messages_is_asked_ever_more_seldom(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = record_pauses(monkeypatch)
    runs.queue.end_receives()
    runs.start()
    eventually(lambda: len(pauses) >= 8, timeout=10)
    assert_growing(pauses[:8], [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0])


def record_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made before a receive from now on; they take no time."""
    pauses: list[float] = []
    monkeypatch.setattr(Inbox, "hold", lambda inbox, seconds: pauses.append(seconds))
    return pauses


def assert_growing(pauses: Sequence[float], longest: Sequence[float]) -> None:
    """Each pause is between half and all of the one in `longest`."""
    assert len(pauses) == len(longest)
    for pause, most in zip(pauses, longest, strict=True):
        assert most / 2 <= pause <= most


def test_a_delivery_that_breaks_ends_all_the_same(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The queue's answer breaks the deletion: the batch is not under way for ever."""

    def break_down(records: Sequence[Record]) -> list[NotDeleted]:
        raise KeyError("Id")

    monkeypatch.setattr(runs.queue, "delete", break_down)
    runs.queue.send("a")
    runner = runs.start()
    eventually(lambda: runs.queue.hidden == ["a"] and runs.queue.receiving, timeout=10)
    runner.stop()
    runs.queue.end_receives()
    assert runner.join(5)
    assert any(message.startswith("delivering a batch failed") for message in caplog.messages)


def test_a_deletion_that_is_refused_is_tried_again(runs: Runs) -> None:
    runs.queue.refusing = 2
    runs.queue.send("a", "b")
    runs.start()
    eventually(lambda: cleared(runs.queue), timeout=10)
    assert runs.executor.delivered == ["a", "b"]


def test_messages_that_are_never_deleted_are_told_of(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    runs.queue.refusing = 1000
    runs.queue.send("a")
    runs.start()
    wanted = "1 message not deleted, to be delivered again: InternalError"
    eventually(lambda: wanted in caplog.messages, timeout=10)


def test_a_message_that_came_into_view_before_it_was_deleted_is_told_of(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    def outlast_the_timeout(words: list[str]) -> Outcome:
        if len(runs.executor.batches) == 1:
            runs.queue.expire()
        return SUCCEEDED

    runs.executor.outcome = outlast_the_timeout
    runs.queue.send("a")
    runs.start()
    eventually(lambda: runs.executor.delivered == ["a", "a"] and cleared(runs.queue), timeout=10)
    assert any("came into view again" in message for message in caplog.messages)


def test_failures_in_a_row_are_told_ever_more_seldom(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    runs.executor.outcome = lambda words: all_failed(words, "refused")
    runs.queue.send(*WORDS[:9])
    runs.start(BatchSize=1)
    eventually(lambda: len(runs.executor.batches) == 9, timeout=10)
    told = "1 of 1 messages stay in the queue until their visibility timeout ends (failed: refused)"
    eventually(lambda: caplog.messages.count(told) == 4, timeout=10)
