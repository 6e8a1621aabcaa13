"""What the execution log tells at which level, and how a record stays within its limit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.outcome import CallError
from eventbridge_pipes.telemetry.execution_log import ExecutionLog
from eventbridge_pipes.telemetry.log_records import (
    LIMIT_BYTES,
    STEPS,
    Level,
    is_told,
    json_text,
    log_record,
    shortened,
)
from eventbridge_pipes.telemetry.watch import Stage, Step
from pipes_samples import PIPE, records

ERROR = CallError("lambda", "no such function", 404, "details", "id-1")


class Kept:
    """A destination that keeps the records, taken apart."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def put(self, timestamp: int, message: str) -> None:
        record = json.loads(message)
        assert record["timestamp"] == timestamp
        self.records.append(record)

    @property
    def message_types(self) -> list[str]:
        return [record["messageType"] for record in self.records]


def run(level: Level, with_data: bool = False) -> Kept:
    """The log of an execution with a call that fails."""
    kept = Kept()
    execution = ExecutionLog(PIPE.arn, level, with_data, kept, lambda: 1.5).execution(records(2))
    execution.step("TargetStageEntered")
    execution.step("TargetTransformationStarted", lambda: "[1]")
    execution.step("TargetTransformationSucceeded", lambda: "[2]")
    execution.step("TargetInvocationStarted", lambda: "[2]")
    execution.request({"FunctionName": "f", "Payload": b"[2]"})
    execution.response({"StatusCode": 404})
    execution.step("TargetInvocationFailed", error=ERROR)
    execution.step("TargetStageFailed", error=ERROR)
    execution.step("ExecutionFailed", error=ERROR)
    return kept


def record_of(message_type: str = "ExecutionStarted", **fields: Any) -> str:
    arguments = {"timestamp": 1, "data": {}, "error": None, **fields}
    return log_record(message_type, pipe_arn=PIPE.arn, execution_id="e", **arguments)


FAILURES = ["TargetInvocationFailed", "TargetStageFailed", "ExecutionFailed"]


@pytest.mark.parametrize(
    ("level", "told"),
    [
        (Level.OFF, []),
        (Level.ERROR, FAILURES),
        (Level.INFO, ["ExecutionStarted", "TargetStageEntered", *FAILURES]),
        (
            Level.TRACE,
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
    level: Level, told: list[str]
) -> None:
    assert run(level).message_types == told


def test_the_steps_of_a_stage_are_message_types_except_for_those_that_aws_does_not_know() -> None:
    unknown = {
        f"{stage}{step}"
        for stage in Stage
        for step in Step
        if not is_told(f"{stage}{step}", Level.TRACE)
    }
    assert unknown == {
        "EnrichmentStagePartiallyFailed",
        "EnrichmentStageSkipped",
        "EnrichmentInvocationPartiallyFailed",
    }


def test_there_are_the_29_steps_that_aws_documents_each_at_one_level() -> None:
    steps = [step for level in STEPS for step in STEPS[level]]
    assert len(steps) == len(set(steps)) == 29


def test_a_record_has_the_members_of_awss_schema() -> None:
    (record,) = [r for r in run(Level.ERROR).records if r["messageType"] == "ExecutionFailed"]
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
    first, second = ({r["executionId"] for r in run(Level.TRACE).records} for _ in range(2))
    assert len(first) == len(second) == 1
    assert first != second


def test_execution_data_is_shown_at_the_steps_where_aws_shows_it() -> None:
    shown = {
        record["messageType"]: {
            name: record[name]
            for name in ("payload", "awsRequest", "awsResponse")
            if name in record
        }
        for record in run(Level.TRACE, with_data=True).records
    }
    assert {step: data for step, data in shown.items() if data} == {
        "ExecutionStarted": {"payload": "[0,1]"},
        "TargetTransformationSucceeded": {"payload": "[2]"},
        "TargetInvocationFailed": {
            "awsRequest": '{"FunctionName": "f", "Payload": "[2]"}',
            "awsResponse": '{"StatusCode": 404}',
        },
    }


def test_without_execution_data_no_payload_is_made() -> None:
    def payload() -> str:
        raise AssertionError("made for nothing")

    for level, with_data in ((Level.TRACE, False), (Level.ERROR, True)):
        execution = ExecutionLog(PIPE.arn, level, with_data, Kept()).execution(records(1))
        execution.step("TargetTransformationSucceeded", payload)
        assert execution.wanted is with_data


def test_a_call_of_the_enrichment_is_not_shown_for_a_call_that_the_target_never_got() -> None:
    kept = Kept()
    execution = ExecutionLog(PIPE.arn, Level.ERROR, True, kept).execution(records(1))
    execution.request({"FunctionName": "enrichment"})
    execution.step("EnrichmentInvocationSucceeded")
    execution.step("TargetInvocationFailed")
    assert "awsRequest" not in kept.records[0]


# Long texts as a part and how often it comes, for a failure to be shown in few lines.
parts = st.tuples(st.text(min_size=1, max_size=8), st.sampled_from([0, 1, 20_000, 100_000]))
fields = st.dictionaries(st.sampled_from(["payload", "awsRequest", "awsResponse"]), parts)


@given(fields=fields, message=parts, details=parts)
def test_a_record_is_json_within_the_limit_and_each_field_a_beginning(
    fields: dict[str, tuple[str, int]], message: tuple[str, int], details: tuple[str, int]
) -> None:
    data = {name: part * times for name, (part, times) in fields.items()}
    told = message[0] * message[1]
    error = CallError("s", told, 400, details[0] * details[1])
    written = record_of("TargetInvocationFailed", data=data, error=error)
    record = json.loads(written)
    truncated = record["truncatedFields"] or []
    assert written.isascii()
    assert len(written) <= LIMIT_BYTES
    assert all(text.startswith(record[name]) for name, text in data.items())
    assert sorted(truncated) == sorted(name for name, text in data.items() if record[name] != text)
    assert truncated == [n for n in ("payload", "awsRequest", "awsResponse") if n in truncated]
    assert all(record[name] == "" for name in truncated[:-1])
    assert told.startswith(record["error"]["message"])


def test_a_record_that_is_cut_is_cut_no_more_than_it_must_be() -> None:
    whole = '{"a": "ü"}' * 100_000
    written = record_of(data={"payload": whole, "awsResponse": "kept"})
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
