"""What the execution log has at which level, how a record stays within its limit, and how the
records get to their log group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.outcome import FailedCall, all_failed
from eventbridge_pipes.telemetry.execution_log import (
    BUFFER_BYTES,
    LIMIT_BYTES,
    MAX_BYTES,
    MAX_EVENTS,
    MAX_SPAN,
    ExecutionLog,
    batch_length,
    json_text,
    level_of,
    log_record,
    shortened,
    size_of,
)
from eventbridge_pipes.telemetry.metrics import Ending, Stage, Step
from pipes_samples import PIPE, records
from pipes_telemetry import LOG_GROUP, FakeLogs, LoggedTelemetry, execution_log, refusal
from waiting import eventually

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

ERROR = FailedCall("lambda", "no such function", 404, "details", "id-1")


def run(level: str, *data: str) -> list[dict[str, Any]]:
    """The log of an execution with a call that fails."""
    telemetry = LoggedTelemetry(level, *data, now=lambda: 1.5)
    execution = telemetry.execution(records(2))
    execution.step(Stage.TARGET, Step.STAGE_ENTERED)
    execution.step(Stage.TARGET, Step.TRANSFORMATION_STARTED)
    execution.step(Stage.TARGET, Step.TRANSFORMATION_SUCCEEDED, lambda: "[2]")
    execution.step(Stage.TARGET, Step.INVOCATION_STARTED)
    execution.request({"FunctionName": "f", "Payload": b"[2]"})
    execution.response({"StatusCode": 404})
    execution.step(Stage.TARGET, Step.INVOCATION_FAILED, error=ERROR)
    execution.step(Stage.TARGET, Step.STAGE_FAILED, error=ERROR)
    execution.ended(all_failed(records(2), "no such function", ERROR))
    logged = telemetry.logged()
    assert [record["timestamp"] for record in logged] == telemetry.logs.times
    return logged


FAILURES = ["TargetInvocationFailed", "TargetStageFailed", "ExecutionFailed"]


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("OFF", []),
        ("ERROR", FAILURES),
        ("INFO", ["ExecutionStarted", "TargetStageEntered", *FAILURES]),
        (
            "TRACE",
            [
                "ExecutionStarted",
                "TargetStageEntered",
                "TargetTransformationStarted",
                "TargetTransformationSucceeded",
                "TargetInvocationStarted",
                *FAILURES,
            ],
        ),
    ],
)
def test_a_level_tells_its_own_steps_and_those_of_the_levels_before_it(
    level: str, told: list[str]
) -> None:
    assert [record["messageType"] for record in run(level)] == told


STEPS = {
    "ERROR": {
        "ExecutionFailed",
        "ExecutionPartiallyFailed",
        "ExecutionThrottled",
        "ExecutionTimeout",
        "EnrichmentInvocationFailed",
        "EnrichmentStageFailed",
        "EnrichmentTransformationFailed",
        "TargetInvocationFailed",
        "TargetInvocationPartiallyFailed",
        "TargetStageFailed",
        "TargetStagePartiallyFailed",
        "TargetTransformationFailed",
    },
    "INFO": {
        "ExecutionStarted",
        "ExecutionSucceeded",
        "EnrichmentInvocationSkipped",
        "EnrichmentStageEntered",
        "EnrichmentStageSucceeded",
        "TargetStageEntered",
        "TargetStageSucceeded",
    },
    "TRACE": {
        "EnrichmentInvocationStarted",
        "EnrichmentInvocationSucceeded",
        "EnrichmentTransformationStarted",
        "EnrichmentTransformationSucceeded",
        "TargetInvocationSkipped",
        "TargetInvocationStarted",
        "TargetInvocationSucceeded",
        "TargetStageSkipped",
        "TargetTransformationStarted",
        "TargetTransformationSucceeded",
    },
}
"""The 29 message types, as AWS documents them, by their levels."""

NOT_OF_AWS = {
    "EnrichmentStagePartiallyFailed",
    "EnrichmentStageSkipped",
    "EnrichmentInvocationPartiallyFailed",
}
"""An enrichment fails whole, and is never skipped because there are no events."""


def test_there_are_the_29_steps_that_aws_documents_each_at_its_level() -> None:
    ours = {f"{stage}{step}" for stage in Stage for step in Step} - NOT_OF_AWS
    ours |= {"ExecutionStarted", *(f"Execution{ending}" for ending in Ending)}
    assert len(ours) == 29
    assert {level: {t for t in ours if level_of(t) == level} for level in STEPS} == STEPS


def test_a_record_has_the_members_of_awss_schema() -> None:
    (record,) = [r for r in run("ERROR") if r["messageType"] == "ExecutionFailed"]
    assert record.pop("executionId")
    assert record == {
        "resourceArn": PIPE.arn,
        "timestamp": 1500,
        "messageType": "ExecutionFailed",
        "logLevel": "ERROR",
        "truncatedFields": None,
        "error": {
            "httpStatusCode": 404,
            "message": "no such function",
            "details": "details",
            "awsService": "lambda",
            "requestId": "id-1",
        },
    }


def test_the_records_of_an_execution_share_an_id_that_no_other_execution_has() -> None:
    first, second = ({r["executionId"] for r in run("TRACE")} for _ in range(2))
    assert len(first) == len(second) == 1
    assert first != second


def test_execution_data_is_shown_at_the_steps_where_aws_shows_it() -> None:
    shown = {
        record["messageType"]: {
            name: record[name]
            for name in ("payload", "awsRequest", "awsResponse")
            if name in record
        }
        for record in run("TRACE", "ALL")
    }
    assert {step: data for step, data in shown.items() if data} == {
        "ExecutionStarted": {"payload": "[0,1]"},
        "TargetTransformationSucceeded": {"payload": "[2]"},
        "TargetInvocationFailed": {
            "awsRequest": '{"FunctionName": "f", "Payload": "[2]"}',
            "awsResponse": '{"StatusCode": 404}',
        },
    }


@pytest.mark.parametrize(("level", "data"), [("TRACE", []), ("ERROR", ["ALL"])])
def test_without_execution_data_no_payload_is_made(level: str, data: list[str]) -> None:
    def payload() -> str:
        raise AssertionError("made for nothing")

    telemetry = LoggedTelemetry(level, *data)
    execution = telemetry.execution(records(1))
    execution.step(Stage.TARGET, Step.TRANSFORMATION_SUCCEEDED, payload)
    assert execution.shows_calls is bool(data)
    telemetry.logged()


def test_a_call_of_the_enrichment_is_not_shown_for_a_call_that_the_target_never_got() -> None:
    telemetry = LoggedTelemetry("ERROR", "ALL")
    execution = telemetry.execution(records(1))
    execution.step(Stage.ENRICHMENT, Step.INVOCATION_STARTED)
    execution.request({"FunctionName": "enrichment"})
    execution.step(Stage.ENRICHMENT, Step.INVOCATION_SUCCEEDED)
    execution.step(Stage.TARGET, Step.INVOCATION_STARTED)
    execution.step(Stage.TARGET, Step.INVOCATION_FAILED)
    (failed,) = telemetry.logged()
    assert "awsRequest" not in failed


# Long texts as a part and how often it comes, for a failure to be shown in few lines.
parts = st.tuples(st.text(min_size=1, max_size=8), st.sampled_from([0, 1, 20_000, 100_000]))
CUT_ORDER = ["payload", "awsRequest", "awsResponse"]
fields = st.dictionaries(st.sampled_from(CUT_ORDER), parts)


@given(fields=fields, message=parts, details=parts)
def test_a_record_is_json_within_the_limit_and_each_field_a_beginning(
    fields: dict[str, tuple[str, int]], message: tuple[str, int], details: tuple[str, int]
) -> None:
    data = {name: fields[name][0] * fields[name][1] for name in CUT_ORDER if name in fields}
    told = message[0] * message[1]
    error = FailedCall("s", told, 400, details[0] * details[1])
    written = log_record({"messageType": "TargetInvocationFailed"}, data, error)
    record = json.loads(written)
    truncated = record["truncatedFields"] or []
    assert written.isascii()
    assert len(written) <= LIMIT_BYTES
    assert all(text.startswith(record[name]) for name, text in data.items())
    assert sorted(truncated) == sorted(name for name, text in data.items() if record[name] != text)
    assert truncated == [n for n in CUT_ORDER if n in truncated]
    assert all(record[name] == "" for name in truncated[:-1])
    assert told.startswith(record["error"]["message"])


def test_a_record_that_is_cut_is_cut_no_more_than_it_must_be() -> None:
    whole = '{"a": "ü"}' * 100_000
    written = log_record({"timestamp": 1}, {"payload": whole, "awsResponse": "kept"}, None)
    assert LIMIT_BYTES - 6 <= len(written) <= LIMIT_BYTES
    record = json.loads(written)
    assert record["truncatedFields"] == ["payload"]
    assert record["awsResponse"] == "kept"


@given(text=st.text(), room=st.integers(-5, 60))
def test_shortened_is_the_longest_beginning_that_fits(text: str, room: int) -> None:
    def size(end: int) -> int:
        return len(json.dumps(text[:end])) - 2

    kept = len(shortened(text, room))
    assert size(kept) <= max(room, 0)
    assert kept == len(text) or size(kept + 1) > room


def test_anything_in_a_request_becomes_json() -> None:
    members: dict[Any, Any] = {"Payload": b"\xff{}", "Stream": object, ("no", "key"): 1, "S": [1.5]}
    shown = json_text(members)
    assert json.loads(shown) == {"Payload": "\ufffd{}", "Stream": str(object), "S": [1.5]}


# The log group


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "timestamp": st.sampled_from([0, 1, MAX_SPAN - 1, MAX_SPAN, 2 * MAX_SPAN]),
                "message": st.sampled_from(["x", "x" * 1000, "x" * 262_118]),
            }
        ),
        max_size=30,
    )
)
def test_a_batch_is_within_the_limits_of_a_call_and_takes_all_that_fits(
    events: list[InputLogEventTypeDef],
) -> None:
    def fits(batch: list[InputLogEventTypeDef]) -> bool:
        times = [event["timestamp"] for event in batch]
        within = sum(map(size_of, batch)) <= MAX_BYTES
        return within and max(times) - min(times) < MAX_SPAN

    count = batch_length(events)
    assert bool(count) == bool(events)
    assert not count or fits(events[:count])
    assert count == len(events) or not fits(events[: count + 1])


def test_a_batch_has_at_most_ten_thousand_events() -> None:
    event: InputLogEventTypeDef = {"timestamp": 0, "message": ""}
    assert batch_length([event] * (MAX_EVENTS + 5)) == MAX_EVENTS


class Writing:
    """An execution log, and the records that a test writes to it under ids of its own."""

    def __init__(self, log: ExecutionLog) -> None:
        self._log = log

    def __call__(self, execution_id: str, size: int = 0) -> None:
        self._log.write(execution_id, "ExecutionStarted", lambda: "x" * size)


@contextmanager
def log_group(logs: FakeLogs, linger: float = 0.0, **options: Any) -> Iterator[Writing]:
    log = execution_log(logs, "INFO", "ALL", linger=linger, **options)
    try:
        yield Writing(log)
    finally:
        logs.hold.set()
        log.close()
        log.thread.join(5)


def ids(logs: FakeLogs) -> list[str]:
    return [record["executionId"] for record in logs.records]


@pytest.mark.parametrize("end", ["", ":*"])
def test_a_stream_that_is_missing_is_made_in_the_group_that_the_arn_names(end: str) -> None:
    logs = FakeLogs()
    with log_group(logs, arn=LOG_GROUP + end) as write:
        write("a")
        eventually(lambda: ids(logs) == ["a"])
    assert logs.streams == {"/pipes/sample sample"}


def test_records_that_come_together_go_together_in_the_order_of_their_times() -> None:
    logs, times = FakeLogs(), iter([2.0, 1.0, 3.0])
    with log_group(logs, linger=30, now=lambda: next(times)) as write:
        for execution_id in ("b", "a", "c"):
            write(execution_id)
    assert ids(logs) == ["a", "b", "c"]
    assert len(logs.written) == 1


def test_what_waits_is_written_when_the_log_is_closed() -> None:
    logs = FakeLogs()
    with log_group(logs, linger=30) as write:
        write("a")
    assert ids(logs) == ["a"]


def test_a_log_group_that_is_missing_is_told_once_and_tried_until_it_is_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs = FakeLogs()
    logs.group_exists = False
    with caplog.at_level("INFO", "eventbridge_pipes"), log_group(logs) as write:
        write("a")
        eventually(lambda: logs.calls >= 3)
        logs.group_exists = True
        eventually(lambda: ids(logs) == ["a"])
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_batch_that_is_refused_is_dropped_and_does_not_hold_up_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs = FakeLogs()
    logs.troubles = [refusal("InvalidParameterException")]
    with log_group(logs) as write:
        write("bad")
        eventually(lambda: "records dropped: 1" in caplog.text)
        write("good")
        eventually(lambda: ids(logs) == ["good"])


def test_a_log_group_that_hangs_holds_nobody_up_and_memory_stays_bounded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs = FakeLogs()
    logs.hold.clear()
    with log_group(logs) as write:
        for number in range(100):
            write(str(number), size=300_000)
        logs.hold.set()
        eventually(lambda: "records dropped:" in caplog.text)
    kept = BUFFER_BYTES // (LIMIT_BYTES + 26)
    assert ids(logs) == [str(number) for number in range(kept)]
    assert caplog.text.count("dropping records") == 1
    assert f"records dropped: {100 - kept}" in caplog.text


def test_closing_ends_the_tries_and_tells_what_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    logs = FakeLogs()
    logs.group_exists = False
    with log_group(logs) as write:
        write("a")
        eventually(lambda: logs.calls)
    assert "records dropped: 1" in caplog.text
    write("too late")
    assert logs.written == []
