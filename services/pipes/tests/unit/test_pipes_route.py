"""One attempt through enrichment and target, with both of them made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from eventbridge_pipes.execution.route import Route
from eventbridge_pipes.execution.stages import EnrichmentStage, TargetStage
from eventbridge_pipes.execution.transformation import Transformation
from eventbridge_pipes.outcome import (
    CallError,
    Failed,
    Fault,
    Outcome,
    Succeeded,
    all_failed,
)
from eventbridge_pipes.record import Record
from eventbridge_pipes.targets.target import Answer, Calls, Message, Returned, payload
from eventbridge_pipes.telemetry.metrics import PipeTelemetry
from eventbridge_pipes.template import Context, Template
from pipes_telemetry import LoggedTelemetry, counted

CONTEXT = Context("arn:pipe", "pipe", "arn:source", "arn:enrichment", "arn:target")
RECORDS = [Record(f"s:{n}", str(n), 0.0, f'{{"n":{n}}}', members={"n": n}) for n in range(3)]
WENT_WRONG = CallError("lambda", "no")


class Fake:
    """A target or an enrichment that answers what it is told to, and remembers what it got."""

    def __init__(self, answer: Answer | Callable[[Sequence[Message]], Answer]) -> None:
        self.answer = answer
        self.got: list[str] = []

    def send(self, messages: Sequence[Message], calls: Calls) -> Any:
        self.got.append(payload(messages).decode())
        return self.answer(messages) if callable(self.answer) else self.answer

    call = send


def carry(
    target: Fake,
    enrichment: Fake | None = None,
    telemetry: PipeTelemetry | None = None,
    template: str | None = None,
    limit: int | None = None,
) -> Outcome:
    shape = Transformation(Template.parse(template), CONTEXT) if template else None
    route = Route(
        EnrichmentStage(enrichment) if enrichment else None,
        TargetStage(target, shape, limit),
        telemetry or PipeTelemetry("sample"),
        now=lambda: 0.0,
    )
    return route.carry(RECORDS)


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
    target, telemetry = Fake(Succeeded()), LoggedTelemetry()
    assert carry(target, Fake(Returned(b"[]")), telemetry) == Succeeded()
    assert target.got == []
    assert "TargetStageSkipped" in telemetry.logged_steps()


def test_more_events_than_the_target_takes_fail_without_calling_it() -> None:
    target = Fake(Succeeded())
    outcome = carry(target, Fake(Returned(b"[1,2,3,4]")), limit=3)
    assert outcome == all_failed(RECORDS, "the enrichment returned 4 events; the target takes 3")
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
    telemetry = LoggedTelemetry("TRACE", "ALL")
    carry(Fake(Succeeded()), Fake(Returned(b"[1]")), telemetry, template="<$.n>")
    assert telemetry.logged_steps() == [
        "ExecutionStarted",
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
        "ExecutionSucceeded",
    ]
    (enriched,) = [r for r in telemetry.logged() if r["messageType"] == "EnrichmentStageSucceeded"]
    assert enriched["payload"] == "[1]"


def test_a_failure_in_part_is_told_as_one() -> None:
    telemetry = LoggedTelemetry("ERROR")
    carry(Fake(Failed(frozenset({1}), "no")), telemetry=telemetry)
    carry(Fake(all_failed(RECORDS, "no")), telemetry=telemetry)
    assert telemetry.logged_steps() == [
        "TargetInvocationPartiallyFailed",
        "TargetStagePartiallyFailed",
        "ExecutionPartiallyFailed",
        "TargetInvocationFailed",
        "TargetStageFailed",
        "ExecutionFailed",
    ]


def test_requests_are_shown_to_the_execution() -> None:
    class Asking(Fake):
        def send(self, messages: Sequence[Message], calls: Calls) -> Any:
            calls.request({"asked": True})
            return super().send(messages, calls)

    telemetry = LoggedTelemetry("TRACE", "ALL")
    carry(Asking(Succeeded()), telemetry=telemetry)
    (called,) = [record for record in telemetry.logged() if "awsRequest" in record]
    assert called["messageType"] == "TargetInvocationSucceeded"
    assert json.loads(called["awsRequest"]) == {"asked": True}


def test_an_execution_whose_code_raises_is_over_and_has_failed() -> None:
    def broken(messages: Sequence[Message]) -> Answer:
        raise KeyError("Records")

    telemetry = LoggedTelemetry("ERROR")
    with pytest.raises(KeyError):
        carry(Fake(broken), telemetry=telemetry)
    assert counted(telemetry, "batches_in_flight") == 0
    assert counted(telemetry, "executions_total", outcome="failed") == 1
    assert counted(telemetry, "records_failed_total") == len(RECORDS)
    (failed,) = telemetry.logged()
    assert failed["messageType"] == "ExecutionFailed"
    assert "KeyError('Records')" in failed["error"]["message"]
