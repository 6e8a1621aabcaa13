"""Batches carried to their end against targets that misbehave: simulated runs, no waiting."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.execution.dead_letter import DeadLetterError
from eventbridge_pipes.execution.delivery import Delivery
from eventbridge_pipes.execution.retry import RetryPolicy
from eventbridge_pipes.outcome import SUCCEEDED, Outcome, all_failed
from eventbridge_pipes.record import Record
from eventbridge_pipes.telemetry.metrics import PipeTelemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_samples import PIPE, SHARD, record, records

Behaviour = Callable[[Sequence[Record]], Outcome]


class Run:
    """One delivery in a world where waiting only moves the clock."""

    def __init__(self, behaviour: Behaviour, policy: RetryPolicy, **world: Any) -> None:
        self.behaviour = behaviour
        self.clock = 0.0
        self.stop_after: float = world.get("stop_after", float("inf"))
        self.refused_letters: int = world.get("refused_letters", 0)
        self.invocations: list[list[str]] = []
        self.pauses: list[float] = []
        self.letters: list[dict[str, Any]] = []
        self.delivery = Delivery(
            PIPE,
            SHARD,
            policy,
            self.execute,
            self.send if world.get("dead_letters", True) else None,
            PipeTelemetry(PIPE.arn, PrometheusMetrics()),
            self.wait,
            now=lambda: self.clock,
        )

    def execute(self, records: Sequence[Record]) -> Outcome:
        self.invocations.append([record.body for record in records])
        return self.behaviour(records)

    def send(self, body: str) -> None:
        if self.refused_letters:
            self.refused_letters -= 1
            raise DeadLetterError("the queue is away")
        self.letters.append(json.loads(body))

    def wait(self, seconds: float) -> bool:
        assert seconds >= 0
        self.pauses.append(seconds)
        self.clock += seconds
        return self.clock > self.stop_after

    def buried(self) -> list[int]:
        """The numbers of the records that the dead letters are about."""
        numbers: list[int] = []
        for letter in self.letters:
            info = letter["KinesisBatchInfo"]
            first, last = int(info["startSequenceNumber"]), int(info["endSequenceNumber"])
            assert info["batchSize"] == last - first + 1
            numbers += range(first, last + 1)
        return numbers


def failing_with(*poison: int) -> Behaviour:
    """A function that raises when any of the `poison` records is in its batch."""

    def behaviour(records: Sequence[Record]) -> Outcome:
        if any(int(record.body) in poison for record in records):
            return all_failed(records, "raised")
        return SUCCEEDED

    return behaviour


def reporting(*refused: int) -> Behaviour:
    """A function that reports the `refused` records, and takes the others."""

    def behaviour(records: Sequence[Record]) -> Outcome:
        failed = frozenset(i for i, r in enumerate(records) if int(r.body) in refused)
        return Outcome(failed, "reported") if failed else SUCCEEDED

    return behaviour


def test_a_batch_that_is_taken_is_sent_once() -> None:
    run = Run(failing_with(), RetryPolicy())
    assert run.delivery.deliver(records(3))
    assert run.invocations == [["0", "1", "2"]]


def test_bisecting_finds_the_poison_and_delivers_its_neighbours() -> None:
    run = Run(failing_with(3), RetryPolicy(maximum_retries=1, bisect=True))
    assert run.delivery.deliver(records(8))
    assert run.buried() == [3]
    accepted = [i for sent in run.invocations if "3" not in sent for i in sent]
    assert sorted(map(int, accepted)) == [0, 1, 2, 4, 5, 6, 7]
    assert run.invocations.count(["3"]) == 2


def test_bisecting_finds_one_bad_record_of_many_without_a_pause() -> None:
    for bad in range(100):
        run = Run(failing_with(bad), RetryPolicy(maximum_retries=0, bisect=True))
        assert run.delivery.deliver(records(100))
        assert run.buried() == [bad]
        assert not any(run.pauses)


def test_when_everything_fails_the_halves_wait_too() -> None:
    run = Run(failing_with(*range(1000)), RetryPolicy(maximum_retries=0, bisect=True))
    assert run.delivery.deliver(records(1000))
    assert len(run.invocations) == 1999
    waited = [pause for pause in run.pauses if pause]
    assert len(waited) == 1999 - 11, "after the eleventh failure, before every further attempt"
    assert waited[0] <= 0.05
    assert max(waited) <= 0.5
    assert run.clock > 1900 * 0.25


def test_a_success_ends_the_pauses_of_the_halves() -> None:
    run = Run(failing_with(*range(0, 40)), RetryPolicy(maximum_retries=0, bisect=True))
    assert run.delivery.deliver(records(400))
    sent = run.invocations.index([str(number) for number in range(50, 100)])
    assert not any(run.pauses[sent:])
    assert any(run.pauses[:sent])


def test_a_fault_uses_up_no_attempt() -> None:
    answers: list[Outcome] = [*[all_failed(range(2), "away", service_error=True)] * 7, SUCCEEDED]
    run = Run(lambda _: answers.pop(0), RetryPolicy(maximum_retries=0))
    assert run.delivery.deliver(records(2))
    assert len(run.invocations) == 8
    assert run.letters == []


def test_records_are_given_up_on_when_they_grow_too_old() -> None:
    batch = [record(0, arrived=0.0), record(1, arrived=30.0)]
    run = Run(failing_with(0, 1), RetryPolicy(maximum_age=60))
    assert run.delivery.deliver(batch)
    conditions = [letter["context"]["condition"] for letter in run.letters]
    assert conditions == ["RecordAgeExceeded", "RecordAgeExceeded"]
    assert run.buried() == [0, 1]
    assert 90 < run.clock < 100


def test_a_record_that_is_too_old_already_is_not_sent() -> None:
    run = Run(failing_with(), RetryPolicy(maximum_age=60))
    run.clock = 100.0
    assert run.delivery.deliver([record(0, arrived=1.0), record(1, arrived=90.0)])
    assert run.invocations == [["1"]]
    assert run.buried() == [0]


def test_a_dead_letter_is_sent_until_it_is_taken() -> None:
    run = Run(failing_with(0), RetryPolicy(maximum_retries=0), refused_letters=9)
    assert run.delivery.deliver(records(1))
    assert run.buried() == [0]


def test_a_pipe_that_stops_while_a_dead_letter_cannot_be_sent_is_not_done() -> None:
    policy = RetryPolicy(maximum_retries=0)
    run = Run(failing_with(0), policy, refused_letters=999, stop_after=20)
    assert not run.delivery.deliver(records(1))


def test_a_pipe_that_stops_between_attempts_is_not_done() -> None:
    run = Run(failing_with(0), RetryPolicy(), stop_after=20)
    assert not run.delivery.deliver(records(1))
    assert run.letters == []


def test_without_a_dead_letter_queue_the_shard_moves_on_too() -> None:
    run = Run(failing_with(1), RetryPolicy(maximum_retries=0), dead_letters=False)
    assert run.delivery.deliver(records(3))


def test_dead_letters_leave_out_the_delivered_records_between_them() -> None:
    run = Run(reporting(1, 2, 5), RetryPolicy(maximum_retries=0))
    assert run.delivery.deliver(records(7))
    assert [letter["KinesisBatchInfo"]["batchSize"] for letter in run.letters] == [2, 1]
    assert run.buried() == [1, 2, 5]


@given(
    size=st.integers(1, 40),
    bad=st.sets(st.integers(0, 39)),
    raises=st.booleans(),
    bisect=st.booleans(),
    retries=st.integers(0, 3),
    faults=st.sets(st.integers(0, 30), max_size=8),
)
def test_every_record_ends_delivered_or_dead_lettered(
    size: int, bad: set[int], raises: bool, bisect: bool, retries: int, faults: set[int]
) -> None:
    bad &= set(range(size))
    well_behaved = failing_with(*bad) if raises else reporting(*bad)
    taken: list[int] = []
    calls = iter(range(1_000_000))

    def behaviour(records: Sequence[Record]) -> Outcome:
        if next(calls) in faults:
            return all_failed(records, "away", service_error=True)
        outcome = well_behaved(records)
        taken.extend(int(r.body) for i, r in enumerate(records) if i not in outcome.failed)
        return outcome

    run = Run(behaviour, RetryPolicy(maximum_retries=retries, bisect=bisect))
    assert run.delivery.deliver(records(size))

    buried = run.buried()
    assert sorted(taken + buried) == list(range(size))
    assert bad <= set(buried)
    if bisect or not raises:
        assert set(buried) == bad
    assert taken == sorted(taken) or not raises, "what is sent again stays in order"
    first_sight = list(dict.fromkeys(number for sent in run.invocations for number in sent))
    assert first_sight == sorted(first_sight, key=int), "order holds at first delivery"
    for sent in run.invocations:
        assert sent == sorted(sent, key=int)
    for number in bad if (bisect or not raises) else set():
        alone = [sent for sent in run.invocations if str(number) in sent]
        assert len(alone) >= retries + 1
