"""The records of the execution log: which steps are told at which level, and how they look.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-logs.html
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from enum import IntEnum
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from eventbridge_pipes.outcome import CallError

EVENT_OVERHEAD = 26
"""What CloudWatch Logs adds to the size of each event."""

LIMIT_BYTES = 256 * 1024 - EVENT_OVERHEAD
"""AWS keeps a record below 256 KB; so it fits into an event of that size with its overhead too."""

TEXT_LIMIT = 64 * 1024
"""Characters of an error's text: with both at their limit there is still room for the record."""


class Level(IntEnum):
    """A pipe's level tells the steps of its own and of those before it."""

    OFF = 0
    ERROR = 1
    INFO = 2
    TRACE = 3


STEPS: Mapping[Level, tuple[str, ...]] = {
    Level.ERROR: (
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
    ),
    Level.INFO: (
        "ExecutionStarted",
        "ExecutionSucceeded",
        "EnrichmentInvocationSkipped",
        "EnrichmentStageEntered",
        "EnrichmentStageSucceeded",
        "TargetStageEntered",
        "TargetStageSucceeded",
    ),
    Level.TRACE: (
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
    ),
}
"""AWS's message types, by the lowest level that tells them."""

WITH_PAYLOAD = frozenset(
    {
        "ExecutionStarted",
        "EnrichmentTransformationSucceeded",
        "EnrichmentStageSucceeded",
        "TargetTransformationSucceeded",
        "TargetStageSucceeded",
    }
)
WITH_CALL = frozenset(
    {
        "EnrichmentInvocationFailed",
        "EnrichmentInvocationSucceeded",
        "TargetInvocationFailed",
        "TargetInvocationPartiallyFailed",
        "TargetInvocationSucceeded",
    }
)
"""The steps that show a payload, or a request and its response, when the pipe's log is to."""

_CUT_ORDER = ("payload", "awsRequest", "awsResponse")
_LEVELS = {step: level for level, steps in STEPS.items() for step in steps}


def is_told(message_type: str, level: Level) -> bool:
    """Whether a pipe whose log has `level` tells this step; never when AWS knows no such step."""
    return message_type in _LEVELS and _LEVELS[message_type] <= level


def log_record(
    message_type: str,
    *,
    pipe_arn: str,
    execution_id: str,
    timestamp: int,
    data: Mapping[str, str],
    error: CallError | None,
) -> str:
    """The JSON of one step, in ASCII, at most LIMIT_BYTES long.

    `timestamp` is in milliseconds since the epoch; `data` are the execution data to show, by
    their names. When they are too long they lose their ends, one after the other, as on AWS; the
    logLevel is that of the step, which lets a filter find the failures.
    """
    shown = {name: data[name][:LIMIT_BYTES] for name in _CUT_ORDER if name in data}
    truncated: list[str] = []

    def line() -> str:
        record: dict[str, Any] = {
            "resourceArn": pipe_arn,
            "timestamp": timestamp,
            "executionId": execution_id,
            "messageType": message_type,
            "logLevel": _LEVELS[message_type].name,
            **shown,
            "truncatedFields": truncated or None,
            "error": error and _error(error),
        }
        return json.dumps(record, separators=(",", ":"))

    written = line()
    for name in [name for name, text in shown.items() if text]:
        if len(written) <= LIMIT_BYTES:
            break
        text = shown[name]
        truncated.append(name)
        shown[name] = ""
        shown[name] = shortened(text, LIMIT_BYTES - len(line()))
        written = line()
    return written


def shortened(text: str, room: int) -> str:
    """The longest beginning of `text` whose JSON takes at most `room` bytes without the quotes."""
    text = text[: max(room, 0)]
    fits = bisect_right(range(len(text) + 1), room, key=lambda end: len(quoted(text[:end])) - 2)
    return text[: max(fits - 1, 0)]


def json_text(members: Mapping[str, Any]) -> str:
    """A request or a response as JSON, whatever it holds."""
    return json.dumps(members, default=_plain, skipkeys=True)


def _plain(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return value[:LIMIT_BYTES].decode("utf-8", "replace")
    return str(value)


def _error(error: CallError) -> dict[str, Any]:
    return {
        "httpStatusCode": error.status or None,
        "message": shortened(error.message, TEXT_LIMIT),
        "details": shortened(error.details, TEXT_LIMIT),
        "awsService": error.service,
        "requestId": error.request_id,
    }
