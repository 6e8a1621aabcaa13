"""A CloudWatch log group as target."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.outcome import FailedCall
from eventbridge_pipes.path import resolve
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import target

_EVENT_OVERHEAD = 26


def connect(pipe: Pipe, clients: Clients, now: Callable[[], float] = time.time) -> target.Send:
    """Each message becomes a log event. A log stream that does not exist is created.

    LogStreamName is one of the few parameters that may be no path. AWS does not say what a stream
    is called when it is left out; here it has the pipe's name.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
    """
    client = clients.logs
    parameters = KIND.parameters_of(pipe)
    stream = {
        "logGroupName": _name(Arn.parse(pipe.target)),
        "logStreamName": parameters.get("LogStreamName", pipe.name),
    }
    timestamp: str | None = parameters.get("Timestamp")

    def entry(message: target.Message) -> target.Entry:
        if not message.body:
            raise target.UnsendableError("a log event has at least one character")
        at = _milliseconds(timestamp, message) if timestamp else int(now() * 1000)
        event = {"timestamp": at, "message": message.body}
        size = len(message.body.encode()) + _EVENT_OVERHEAD
        return target.Entry(event, size, timestamp=at)

    def put_log_events(**request: Any) -> Any:
        try:
            return client.put_log_events(**request)
        except client.exceptions.ResourceNotFoundException:
            # If it is the group that does not exist, this raises the same.
            with suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_stream(**stream)
            return client.put_log_events(**request)

    return target.BatchTarget(KIND, entry, put_log_events, lambda: stream).send


def _milliseconds(parameter: str, message: target.Message) -> int:
    text = resolve(parameter, message.record)
    if not (text.isascii() and text.isdecimal()):
        raise target.UnsendableError("the value of Timestamp is no whole number of milliseconds")
    return int(text)


def _rejected(service: str, answer: Mapping[str, Any], count: int) -> dict[int, FailedCall]:
    """CloudWatch names the places in the call where the events that it accepts begin and end."""
    info = answer.get("rejectedLogEventsInfo") or {}
    too_old = info.get("tooOldLogEventEndIndex", 0)
    expired = info.get("expiredLogEventEndIndex", 0)
    end = info.get("tooNewLogEventStartIndex", count)
    if not all(isinstance(place, int) and 0 <= place <= count for place in (too_old, expired, end)):
        raise target.UnreadableAnswerError(
            service=service, member="places in rejectedLogEventsInfo"
        )
    first = max(too_old, expired)
    old = dict.fromkeys(range(first), FailedCall("", "the log event is too old"))
    new = dict.fromkeys(range(end, count), FailedCall("", "the log event is too new"))
    return old | new


def _name(arn: Arn) -> str:
    return arn.resource.split(":")[1]


def describe(clients: Clients, arn: Arn) -> None:
    name = _name(arn)
    pages = clients.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    if not any(group["logGroupName"] == name for page in pages for group in page["logGroups"]):
        raise target.AbsentError


def violations(arn: Arn, parameters: target.Members, account: str) -> target.Problems:
    """AWS's page says both that a log stream's name may be a path and that it may not.

    The list of exceptions is the newer of the two. A pipe that does without runs under either.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
    """
    if arn.account != account:
        # Log groups are written to by name.
        yield "", target.other_account(f"log group {arn.text}", account)
    if parameters.get("LogStreamName", "").startswith("$."):
        yield "LogStreamName", "LogStreamName must be a name: a path is not supported there"


KIND = target.BatchKind(
    service="logs",
    resource=r"log-group:[^:]*(:\*)?",  # CloudFormation puts :* after the ARN
    label="a CloudWatch Logs log group",
    noun="log group",
    parameters="CloudWatchLogsParameters",
    connect=connect,
    describe=describe,
    violations=violations,
    entries="logEvents",
    failed=_rejected,
    batch_limit=10_000,
    # Within a call, events are at most a day apart and in the order of their time.
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
    call_bytes=1024 * 1024,
    call_span=24 * 60 * 60 * 1000,
)
