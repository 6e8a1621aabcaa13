"""Asks the services for one resource each: whether it is there, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients, queue_url
from eventbridge_pipes.targets.kinds import TargetKind


class AbsentError(Exception):
    """There is no such resource. Most services say so with an error of their own instead."""


class UnusableError(Exception):
    """The resource is there, but a pipe cannot use it; the text says why and what to do."""


class Question(NamedTuple):
    """`ask` returns what is known: when a stream was made (epoch seconds), a state machine's type.

    It raises AbsentError, UnusableError, or the error of its call.
    """

    noun: str
    ask: Callable[[Clients, Arn], Any]


def _function(clients: Clients, arn: Arn) -> None:
    clients.lambda_.get_function_configuration(FunctionName=arn.text)


def _queue(clients: Clients, arn: Arn) -> None:
    queue_url(clients.sqs_calls, arn)


def _topic(clients: Clients, arn: Arn) -> None:
    clients.sns.get_topic_attributes(TopicArn=arn.text)


def _stream(clients: Clients, arn: Arn) -> float:
    answer: Any = clients.kinesis.describe_stream_summary(StreamARN=arn.text)
    # The clients leave times as the numbers that they are on the wire.
    return float(answer["StreamDescriptionSummary"]["StreamCreationTimestamp"])


def _event_bus(clients: Clients, arn: Arn) -> None:
    clients.events.describe_event_bus(Name=arn.resource.removeprefix("event-bus/"))


def _state_machine(clients: Clients, arn: Arn) -> str:
    # Without a version or an alias: an alias cannot be described like this.
    machine = ":".join(arn.text.split(":")[:7])
    return clients.stepfunctions.describe_state_machine(stateMachineArn=machine)["type"]


def _log_group(clients: Clients, arn: Arn) -> None:
    name = arn.resource.split(":")[1]
    pages = clients.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    if not any(group["logGroupName"] == name for page in pages for group in page["logGroups"]):
        raise AbsentError


def _table_stream(clients: Clients, arn: Arn) -> float:
    answer: Any = clients.dynamodbstreams.describe_stream(StreamArn=arn.text, Limit=1)
    stream = answer["StreamDescription"]
    if stream.get("StreamStatus") in ("DISABLING", "DISABLED"):
        raise UnusableError("it is disabled. A stream enabled again is another one: use its ARN")
    return float(stream["CreationRequestDateTime"])


TABLE_STREAM = Question("stream", _table_stream)

QUESTIONS: Mapping[TargetKind, Question] = {
    TargetKind.LAMBDA: Question("function", _function),
    TargetKind.SQS: Question("queue", _queue),
    TargetKind.SNS: Question("topic", _topic),
    TargetKind.KINESIS: Question("stream", _stream),
    TargetKind.EVENT_BUS: Question("event bus", _event_bus),
    TargetKind.STATE_MACHINE: Question("state machine", _state_machine),
    TargetKind.LOG_GROUP: Question("log group", _log_group),
}
"""A stream or a queue is asked for alike, whether it is the target or what a pipe reads."""
