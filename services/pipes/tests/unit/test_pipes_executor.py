"""One attempt through enrichment and target, with both of them made up."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from eventbridge_pipes.execution.executor import Executor
from eventbridge_pipes.outcome import SUCCEEDED, FailedCall, Outcome, all_failed
from eventbridge_pipes.record import Record
from eventbridge_pipes.targets.target import Answer, Message, payload
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry, PipeTelemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_samples import PIPE
from pipes_telemetry import LoggedTelemetry, counted

QUEUE = "arn:aws:sqs:us-east-1:000000000000:sample"
RECORDS = [Record(f"s:{n}", str(n), 0.0, f'{{"n":{n}}}', members={"n": n}) for n in range(3)]
WENT_WRONG = FailedCall("lambda", "no")


def away(reason: str) -> Outcome:
    return all_failed(RECORDS, reason, service_error=True)


class Fake:
    """A target or an enrichment that gives the answer it was made with, and keeps what it got."""

    def __init__(self, answer: Answer | Callable[[Sequence[Message]], Answer]) -> None:
        self.answer = answer
        self.got: list[str] = []

    def __call__(self, messages: Sequence[Message], execution: ExecutionTelemetry) -> Any:
        self.got.append(payload(messages))
        return self.answer(messages) if callable(self.answer) else self.answer


def executor_to(
    target: Fake,
    enrichment: Fake | None = None,
    telemetry: PipeTelemetry | None = None,
    template: str | None = None,
    to: str = PIPE.target,
    enrichment_template: str | None = None,
) -> Executor:
    pipe = replace(
        PIPE,
        target=to,
        target_parameters={"InputTemplate": template},
        enrichment_parameters={"InputTemplate": enrichment_template},
    )
    return Executor(
        pipe,
        target,
        enrichment,
        telemetry or PipeTelemetry(PIPE.arn, PrometheusMetrics()),
        now=lambda: 0.0,
    )


def execute(
    target: Fake,
    enrichment: Fake | None = None,
    telemetry: PipeTelemetry | None = None,
    template: str | None = None,
    records: Sequence[Record] = RECORDS,
    **more: Any,
) -> Outcome:
    return executor_to(target, enrichment, telemetry, template, **more).execute(records)


def test_records_go_as_they_are_to_the_target() -> None:
    target = Fake(SUCCEEDED)
    assert execute(target) == SUCCEEDED
    assert target.got == ['[{"n":0},{"n":1},{"n":2}]']


def test_a_template_is_applied_record_by_record() -> None:
    target = Fake(SUCCEEDED)
    execute(target, template='{"number": <$.n>}')
    assert target.got == ['[{"number": 0},{"number": 1},{"number": 2}]']


ESCAPED = r'{"a": "\u003c$.n\u003e"}'


def test_a_warning_about_the_template_is_given_when_the_pipe_starts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telemetry = LoggedTelemetry()
    executor_to(Fake(SUCCEEDED), telemetry=telemetry, template=ESCAPED)
    (line,) = caplog.messages
    assert line.startswith(r"InputTemplate of the target, \u003c$.n: AWS does not replace")
    assert counted(telemetry, "warnings", warning="escaped_placeholder") == 1


def test_a_warning_about_events_is_given_once_with_the_first_event_that_shows_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telemetry = LoggedTelemetry()
    executor = executor_to(Fake(SUCCEEDED), telemetry=telemetry, template='{"a": <$.a>}')
    executor.execute([Record(members={"a": "plain"})])
    assert caplog.messages == []
    assert counted(telemetry, "warnings", warning="path_to_nothing") == 0
    for _ in range(3):
        executor.execute([Record(members={}), Record(members={"a": 'secret "a"'})])
    assert [line.partition(": ")[0] for line in caplog.messages] == [
        "InputTemplate of the target, <$.a>"
    ] * 2
    assert "secret" not in caplog.text
    assert counted(telemetry, "warnings", warning="path_to_nothing") == 1
    assert counted(telemetry, "warnings", warning="escaped_value") == 1


def test_the_templates_of_enrichment_and_target_have_warnings_of_their_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    none = '{"a": <$.none>}'
    for _ in range(2):
        execute(Fake(SUCCEEDED), Fake(b"[{}]"), template=none, enrichment_template=none)
    stages = ["enrichment", "target"] * 2  # each pipe has its own
    assert [line.split()[3] for line in caplog.messages] == [f"{stage}," for stage in stages]


@pytest.mark.parametrize(
    ("to", "warns"),
    [
        (PIPE.target, True),
        ("arn:aws:states:us-east-1:000000000000:stateMachine:m", True),
        (QUEUE, False),
        ("arn:aws:sns:us-east-1:000000000000:topic", False),
    ],
)
def test_json_that_loses_its_quotes_is_a_warning_where_the_target_needs_json(
    to: str, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    target = Fake(SUCCEEDED)
    execute(target, template="<$.a>", records=[Record(members={"a": {"k": "v"}})], to=to)
    assert target.got == ['["{k: v}"]']
    assert [line for line in caplog.messages if "quotes are removed" in line] == (
        caplog.messages if warns else []
    )
    assert len(caplog.messages) == warns


def test_threads_of_a_pipe_that_see_the_same_give_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    executor = executor_to(Fake(SUCCEEDED), template="x <$.none>")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(executor.execute, [RECORDS] * 64))
    assert len(caplog.messages) == 1


def test_a_path_that_passes_too_many_values_fails_the_attempt() -> None:
    target = Fake(SUCCEEDED)
    deep = json.loads("[" * 200 + "1" + "]" * 200)
    outcome = execute(target, template="<$..*..*..*>", records=[Record(members=deep)])
    assert outcome.failed
    assert outcome.reason == "a path passes more than 1,000,000 values of an event"
    assert target.got == []


def test_text_that_is_not_json_is_a_string_to_a_function() -> None:
    target = Fake(SUCCEEDED)
    execute(target, template="number <$.n>")
    assert target.got == ['["number 0","number 1","number 2"]']


def test_a_template_makes_at_most_6_mb_of_a_batch_and_stops_as_soon_as_it_is_over() -> None:
    target, telemetry = Fake(SUCCEEDED), LoggedTelemetry("TRACE")
    large = [Record(members={"a": "x" * 900_000}) for _ in range(20)]
    tracemalloc.start()
    outcome = execute(target, telemetry=telemetry, template="<$.a>" * 800, records=large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome == all_failed(large, "the input template makes more than 6 MB of the batch")
    assert peak < 20_000_000
    assert target.got == []
    assert telemetry.logged_steps()[-4:] == [
        "TargetTransformationStarted",
        "TargetTransformationFailed",
        "TargetStageFailed",
        "ExecutionFailed",
    ]


@pytest.mark.parametrize(("size", "over"), [(6 * 1024 * 1024 // 3, False), (2_200_000, True)])
@pytest.mark.parametrize("letter", ["x", "\u00e9"])
def test_the_bytes_of_all_messages_of_a_batch_count(size: int, over: bool, letter: str) -> None:
    target = Fake(SUCCEEDED)
    text = letter * (size // len(letter.encode()))
    large = [Record(members={"a": text}) for _ in range(3)]
    assert bool(execute(target, template="<$.a>", records=large).failed) is over
    assert len(target.got) == (not over)


def test_a_template_of_the_enrichment_that_makes_too_much_fails_the_attempt() -> None:
    enrichment, target = Fake(b"[1]"), Fake(SUCCEEDED)
    telemetry = LoggedTelemetry("ERROR")
    large = [Record(members={"a": "x" * 900_000})]
    outcome = execute(target, enrichment, telemetry, enrichment_template="<$.a>" * 8, records=large)
    assert outcome == all_failed(large, "the input template makes more than 6 MB of the batch")
    assert enrichment.got == target.got == []
    assert telemetry.logged_steps() == [
        "EnrichmentTransformationFailed",
        "EnrichmentStageFailed",
        "ExecutionFailed",
    ]


def test_an_unexpected_error_is_a_fault_that_ends_the_execution_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = True

    def answer(_: Sequence[Message]) -> Answer:
        if broken:
            raise KeyError("Records")
        return SUCCEEDED

    telemetry = LoggedTelemetry("ERROR")
    executor = executor_to(Fake(answer), telemetry=telemetry)
    for attempts in range(1, 4):
        outcome = executor.execute(RECORDS)
        assert outcome == away("an error in the Pipes service: KeyError: 'Records'")
        assert counted(telemetry, "batches_in_flight") == 0
        assert counted(telemetry, "executions_total", outcome="failed") == attempts
    assert telemetry.logged_steps() == ["ExecutionFailed"] * 3
    assert len([line for line in caplog.records if line.exc_info]) == 1
    broken = False
    assert executor.execute(RECORDS) == SUCCEEDED
    broken = True
    executor.execute(RECORDS)
    assert len([line for line in caplog.records if line.exc_info]) == 2


def test_failures_that_a_target_reports_are_those_of_the_records() -> None:
    target = Fake(b'{"batchItemFailures": [{"itemIdentifier": "s:1"}]}')
    outcome = execute(target)
    assert isinstance(outcome, Outcome)
    assert outcome.failed
    assert not outcome.service_error
    assert outcome.failed == {1}


def test_entries_that_a_target_refuses_are_those_of_the_records() -> None:
    refused = Outcome(frozenset({2}), "too long")
    assert execute(Fake(refused)) == refused
    held_up = Outcome(frozenset({1, 2}), "throttled", service_error=True)
    assert execute(Fake(held_up)) == held_up


def test_the_target_gets_what_the_enrichment_answers() -> None:
    enrichment = Fake(b'[{"richer": 1}, {"richer": 2}]')
    target = Fake(SUCCEEDED)
    assert execute(target, enrichment) == SUCCEEDED
    assert enrichment.got == ['[{"n":0},{"n":1},{"n":2}]']
    assert target.got == ['[{"richer": 1},{"richer": 2}]']


def test_an_empty_answer_of_the_enrichment_ends_well_without_the_target() -> None:
    target, telemetry = Fake(SUCCEEDED), LoggedTelemetry()
    assert execute(target, Fake(b"[]"), telemetry) == SUCCEEDED
    assert target.got == []
    assert "TargetStageSkipped" in telemetry.logged_steps()


def test_more_events_than_the_target_takes_fail_without_calling_it() -> None:
    target = Fake(SUCCEEDED)
    enrichment = Fake(b"[1,2,3,4,5,6,7,8,9,10,11]")
    outcome = execute(target, enrichment, to=QUEUE)
    assert outcome == all_failed(RECORDS, "the enrichment returned 11 events; the target takes 10")
    assert target.got == []


def test_after_an_enrichment_a_part_of_the_events_that_fails_fails_all_records() -> None:
    enrichment = Fake(b"[1,2,3]")
    outcome = execute(Fake(Outcome(frozenset({0}), "no", WENT_WRONG)), enrichment)
    assert outcome == all_failed(RECORDS, "no", WENT_WRONG)
    outcome = execute(Fake(Outcome(frozenset({0}), "away", service_error=True)), enrichment)
    assert outcome == away("away")


def test_identifiers_count_after_an_enrichment_too() -> None:
    target = Fake(b'{"batchItemFailures": [{"itemIdentifier": "s:2"}]}')
    outcome = execute(target, Fake(b'{"all": "in one"}'))
    assert isinstance(outcome, Outcome)
    assert outcome.failed
    assert not outcome.service_error
    assert outcome.failed == {2}


def test_an_enrichment_that_fails_fails_all_and_the_target_is_not_called() -> None:
    target = Fake(SUCCEEDED)
    for answer in (Outcome(frozenset({0}), "no", WENT_WRONG), b"<html>"):
        outcome = execute(target, Fake(answer))
        assert isinstance(outcome, Outcome)
        assert outcome.failed
        assert not outcome.service_error
        assert outcome.failed == {0, 1, 2}
    assert execute(target, Fake(away("away"))) == away("away")
    assert target.got == []


def test_the_steps_of_an_execution_are_told_in_order() -> None:
    telemetry = LoggedTelemetry("TRACE", "ALL")
    execute(Fake(SUCCEEDED), Fake(b"[1]"), telemetry, template="<$.n>")
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
    execute(Fake(Outcome(frozenset({1}), "no")), telemetry=telemetry)
    execute(Fake(all_failed(RECORDS, "no")), telemetry=telemetry)
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
        def __call__(self, messages: Sequence[Message], execution: ExecutionTelemetry) -> Any:
            execution.request({"asked": True})
            return super().__call__(messages, execution)

    telemetry = LoggedTelemetry("TRACE", "ALL")
    execute(Asking(SUCCEEDED), telemetry=telemetry)
    (called,) = [record for record in telemetry.logged() if "awsRequest" in record]
    assert called["messageType"] == "TargetInvocationSucceeded"
    assert json.loads(called["awsRequest"]) == {"asked": True}
