"""One attempt through enrichment and target, with both of them made up."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from eventbridge_pipes.execution.execution import Route
from eventbridge_pipes.outcome import (
    CallError,
    Failed,
    Fault,
    Outcome,
    Succeeded,
    all_failed,
)
from eventbridge_pipes.record import Record
from eventbridge_pipes.targets.target import Answer, Message, Returned, payload
from eventbridge_pipes.telemetry.watch import Execution, Stage, Step, Unwatched, UnwatchedExecution
from pipes_samples import PIPE

QUEUE = "arn:aws:sqs:us-east-1:000000000000:sample"
RECORDS = [Record(f"s:{n}", str(n), 0.0, f'{{"n":{n}}}', members={"n": n}) for n in range(3)]
WENT_WRONG = CallError("lambda", "no")


class Fake:
    """A target or an enrichment that answers what it is told to, and remembers what it got."""

    def __init__(self, answer: Answer | Callable[[Sequence[Message]], Answer]) -> None:
        self.answer = answer
        self.got: list[str] = []

    def __call__(self, messages: Sequence[Message], execution: Execution) -> Any:
        self.got.append(payload(messages).decode())
        return self.answer(messages) if callable(self.answer) else self.answer


class Seen(Unwatched, UnwatchedExecution):
    """Remembers the steps of the one execution."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.shown: dict[str, str] = {}
        self.outcome: Outcome | None = None

    def execution(self, records: Sequence[Record]) -> Seen:
        return self

    def step(
        self,
        stage: Stage,
        step: Step,
        payload: Callable[[], str] | None = None,
        error: CallError | None = None,
    ) -> None:
        self.steps.append(f"{stage}{step}")
        if payload:
            self.shown[f"{stage}{step}"] = payload()

    def ended(self, outcome: Outcome) -> None:
        self.outcome = outcome


def route_to(
    target: Fake,
    enrichment: Fake | None = None,
    watch: Seen | None = None,
    template: str | None = None,
    to: str = PIPE.target,
    enrichment_template: str | None = None,
) -> Route:
    pipe = replace(
        PIPE,
        target=to,
        target_parameters={"InputTemplate": template},
        enrichment_parameters={"InputTemplate": enrichment_template},
    )
    return Route(pipe, target, enrichment, watch or Seen(), now=lambda: 0.0)


def carry(
    target: Fake,
    enrichment: Fake | None = None,
    watch: Seen | None = None,
    template: str | None = None,
    records: Sequence[Record] = RECORDS,
    **more: Any,
) -> Outcome:
    return route_to(target, enrichment, watch, template, **more).carry(records)


def test_records_go_as_they_are_to_the_target() -> None:
    target = Fake(Succeeded())
    assert carry(target) == Succeeded()
    assert target.got == ['[{"n":0},{"n":1},{"n":2}]']


def test_a_template_is_applied_record_by_record() -> None:
    target = Fake(Succeeded())
    carry(target, template='{"number": <$.n>}')
    assert target.got == ['[{"number": 0},{"number": 1},{"number": 2}]']


def test_text_that_is_not_json_is_a_string_to_a_function() -> None:
    target = Fake(Succeeded())
    carry(target, template="number <$.n>")
    assert target.got == ['["number 0","number 1","number 2"]']


def test_a_template_makes_at_most_6_mb_of_a_batch_and_stops_as_soon_as_it_is_over() -> None:
    target, watch = Fake(Succeeded()), Seen()
    large = [Record(members={"a": "x" * 900_000}) for _ in range(20)]
    tracemalloc.start()
    outcome = carry(target, watch=watch, template="<$.a>" * 800, records=large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome == all_failed(large, "the input template makes more than 6 MB of the batch")
    assert peak < 20_000_000
    assert target.got == []
    assert watch.steps[-3:] == [
        "TargetTransformationStarted",
        "TargetTransformationFailed",
        "TargetStageFailed",
    ]


@pytest.mark.parametrize(("size", "over"), [(6 * 1024 * 1024 // 3, False), (2_200_000, True)])
@pytest.mark.parametrize("letter", ["x", "\u00e9"])
def test_the_bytes_of_all_messages_of_a_batch_count(size: int, over: bool, letter: str) -> None:
    target = Fake(Succeeded())
    text = letter * (size // len(letter.encode()))
    large = [Record(members={"a": text}) for _ in range(3)]
    assert isinstance(carry(target, template="<$.a>", records=large), Failed) is over
    assert len(target.got) == (not over)


def test_a_template_of_the_enrichment_that_makes_too_much_fails_the_attempt() -> None:
    enrichment, target = Fake(Returned(b"[1]")), Fake(Succeeded())
    watch = Seen()
    large = [Record(members={"a": "x" * 900_000})]
    outcome = carry(target, enrichment, watch, enrichment_template="<$.a>" * 8, records=large)
    assert outcome == all_failed(large, "the input template makes more than 6 MB of the batch")
    assert enrichment.got == target.got == []
    assert watch.steps[-2:] == ["EnrichmentTransformationFailed", "EnrichmentStageFailed"]


def test_an_unexpected_error_is_a_fault_that_ends_the_execution_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = True

    def answer(_: Sequence[Message]) -> Answer:
        if broken:
            raise KeyError("Records")
        return Succeeded()

    watch = Seen()
    route = route_to(Fake(answer), watch=watch)
    for _ in range(3):
        outcome = route.carry(RECORDS)
        assert outcome == Fault("an error in the Pipes service: KeyError: 'Records'")
        assert watch.outcome == outcome
    assert len([line for line in caplog.records if line.exc_info]) == 1
    broken = False
    assert route.carry(RECORDS) == Succeeded()
    broken = True
    route.carry(RECORDS)
    assert len([line for line in caplog.records if line.exc_info]) == 2


def test_failures_that_a_target_reports_are_those_of_the_records() -> None:
    target = Fake(Returned(b'{"batchItemFailures": [{"itemIdentifier": "s:1"}]}'))
    outcome = carry(target)
    assert isinstance(outcome, Failed)
    assert outcome.positions == {1}


def test_entries_that_a_target_refuses_are_those_of_the_records() -> None:
    refused = Failed(frozenset({2}), "too long")
    assert carry(Fake(refused)) == refused
    held_up = Fault("throttled", positions=frozenset({1, 2}))
    assert carry(Fake(held_up)) == held_up


def test_the_target_gets_what_the_enrichment_answers() -> None:
    enrichment = Fake(Returned(b'[{"richer": 1}, {"richer": 2}]'))
    target = Fake(Succeeded())
    assert carry(target, enrichment) == Succeeded()
    assert enrichment.got == ['[{"n":0},{"n":1},{"n":2}]']
    assert target.got == ['[{"richer": 1},{"richer": 2}]']


def test_an_empty_answer_of_the_enrichment_ends_well_without_the_target() -> None:
    target, watch = Fake(Succeeded()), Seen()
    assert carry(target, Fake(Returned(b"[]")), watch) == Succeeded()
    assert target.got == []
    assert "TargetStageSkipped" in watch.steps


def test_more_events_than_the_target_takes_fail_without_calling_it() -> None:
    target = Fake(Succeeded())
    enrichment = Fake(Returned(b"[1,2,3,4,5,6,7,8,9,10,11]"))
    outcome = carry(target, enrichment, to=QUEUE)
    assert outcome == all_failed(RECORDS, "the enrichment returned 11 events; the target takes 10")
    assert target.got == []


def test_after_an_enrichment_a_part_of_the_events_that_fails_fails_all_records() -> None:
    enrichment = Fake(Returned(b"[1,2,3]"))
    outcome = carry(Fake(Failed(frozenset({0}), "no", WENT_WRONG)), enrichment)
    assert outcome == all_failed(RECORDS, "no", WENT_WRONG)
    outcome = carry(Fake(Fault("away", positions=frozenset({0}))), enrichment)
    assert outcome == Fault("away")


def test_identifiers_count_after_an_enrichment_too() -> None:
    target = Fake(Returned(b'{"batchItemFailures": [{"itemIdentifier": "s:2"}]}'))
    outcome = carry(target, Fake(Returned(b'{"all": "in one"}')))
    assert isinstance(outcome, Failed)
    assert outcome.positions == {2}


def test_an_enrichment_that_fails_fails_all_and_the_target_is_not_called() -> None:
    target = Fake(Succeeded())
    for answer in (Failed(frozenset({0}), "no", WENT_WRONG), Returned(b"<html>")):
        outcome = carry(target, Fake(answer))
        assert isinstance(outcome, Failed)
        assert outcome.positions == {0, 1, 2}
    assert carry(target, Fake(Fault("away"))) == Fault("away")
    assert target.got == []


def test_the_steps_of_an_execution_are_told_in_order() -> None:
    watch = Seen()
    carry(Fake(Succeeded()), Fake(Returned(b"[1]")), watch, template="<$.n>")
    assert watch.steps == [
        "EnrichmentStageEntered",
        "EnrichmentInvocationStarted",
        "EnrichmentInvocationSucceeded",
        "EnrichmentStageSucceeded",
        "TargetStageEntered",
        "TargetTransformationStarted",
        "TargetTransformationSucceeded",
        "TargetInvocationStarted",
        "TargetInvocationSucceeded",
        "TargetStageSucceeded",
    ]
    assert watch.shown["EnrichmentStageSucceeded"] == "[1]"
    assert watch.outcome == Succeeded()


def test_a_failure_in_part_is_told_as_one() -> None:
    watch = Seen()
    carry(Fake(Failed(frozenset({1}), "no")), watch=watch)
    assert watch.steps[-2:] == ["TargetInvocationPartiallyFailed", "TargetStagePartiallyFailed"]
    carry(Fake(all_failed(RECORDS, "no")), watch=watch)
    assert watch.steps[-2:] == ["TargetInvocationFailed", "TargetStageFailed"]


def test_requests_are_shown_to_the_execution() -> None:
    class Asking(Fake):
        def __call__(self, messages: Sequence[Message], execution: Execution) -> Any:
            execution.request({"asked": True})
            return super().__call__(messages, execution)

    class Wanting(Seen):
        requests: Mapping[str, Any] | None = None

        def request(self, parameters: Mapping[str, Any]) -> None:
            self.requests = parameters

    watch = Wanting()
    carry(Asking(Succeeded()), watch=watch)
    assert watch.requests == {"asked": True}
