"""Whether what a pipe connects exists and may be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients, queue_url
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.sources.kinds import SourceKind, source_kind
from eventbridge_pipes.targets.kinds import TargetKind, waits_for_target

REASON_LIMIT = 512
"""Characters that the model allows a StateReason."""

NO_TIME = 0.0
"""The time of creation of a queue: it has no positions that could be of another."""

_ABSENT = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
}


class ResourceError(Exception):
    """A resource of the pipe cannot be used; the text is fit for a StateReason: one short line.

    `passing`: the service did not answer properly, and may do so when it is asked again.
    """

    def __init__(self, reason: str, passing: bool = False) -> None:
        super().__init__(" ".join(reason.split())[:REASON_LIMIT])
        self.passing = passing


class _AbsentError(Exception):
    """There is no such resource. Most services say so with an error of their own instead."""


class _UnusableError(Exception):
    """The resource exists, but a pipe cannot use it; the text says why and what to do."""


class Resources:
    """Asks AWS for the resources of a pipe."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def check(self, pipe: Pipe) -> float:
        """Return when the source stream was created (epoch seconds); NO_TIME for a queue.

        Raises ResourceError about the first of source, enrichment, target, dead-letter queue and
        log group that does not exist or may not be used.
        """
        created = self._known("source", pipe.source)
        if pipe.enrichment:
            self._invoked("enrichment", pipe.enrichment, waits=True)
        self._invoked("target", pipe.target, waits_for_target(pipe))
        if pipe.dead_letter_arn:
            self._known("dead-letter", pipe.dead_letter_arn)
        if pipe.log_group_arn:
            self._known("execution log's", pipe.log_group_arn)
        return NO_TIME if source_kind(pipe) is SourceKind.SQS else float(created)

    def _invoked(self, role: str, arn: str, waits: bool) -> None:
        if self._known(role, arn) == "STANDARD" and waits:
            instead = "an Express one"
            if role == "target":
                instead += ", or InvocationType FIRE_AND_FORGET"
            raise ResourceError(
                f"The {role} state machine {arn} is a Standard one, which cannot be invoked for "
                f"its answer (REQUEST_RESPONSE). Use {instead}."
            )

    def _known(self, role: str, text: str) -> Any:
        """Return what the service knows of a resource: when a stream was created (epoch seconds),
        a state machine's type, nothing of the others."""
        arn = Arn.parse(text)
        kind = TargetKind.of(arn) or SourceKind.of(arn)
        assert kind, f"{text} was never accepted"  # noqa: S101
        noun, ask = _QUESTIONS[kind]
        what = f"{role} {noun} {text}"
        absent = f"The {what} does not exist. Create it, then start the pipe or create it again."
        try:
            return ask(self._clients, arn)
        except _AbsentError as error:
            raise ResourceError(absent) from error
        except _UnusableError as error:
            raise ResourceError(f"The {what} cannot be used: {error}.") from error
        except errors.CallError as error:
            if errors.code_of(error) in _ABSENT:
                raise ResourceError(absent) from error
            reason = f"The {what} cannot be used: {errors.describe(error)}"
            raise ResourceError(reason, passing=errors.is_service_fault(error)) from error
        except LookupError as error:
            # The answer is not this service's: something else listens at its endpoint.
            lacking = f"The {what} cannot be used: {arn.service} answered without {error}."
            raise ResourceError(f"{lacking} Does the endpoint offer this service?") from error


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
        raise _AbsentError


def _table_stream(clients: Clients, arn: Arn) -> float:
    answer: Any = clients.dynamodbstreams.describe_stream(StreamArn=arn.text, Limit=1)
    stream = answer["StreamDescription"]
    if stream.get("StreamStatus") in ("DISABLING", "DISABLED"):
        raise _UnusableError("it is disabled. A stream enabled again is another one: use its ARN")
    return float(stream["CreationRequestDateTime"])


_QUESTIONS: Mapping[TargetKind | SourceKind, tuple[str, Callable[[Clients, Arn], Any]]] = {
    SourceKind.DYNAMODB: ("stream", _table_stream),
    TargetKind.LAMBDA: ("function", _function),
    TargetKind.SQS: ("queue", _queue),
    TargetKind.SNS: ("topic", _topic),
    TargetKind.KINESIS: ("stream", _stream),
    TargetKind.EVENT_BUS: ("event bus", _event_bus),
    TargetKind.STATE_MACHINE: ("state machine", _state_machine),
    TargetKind.LOG_GROUP: ("log group", _log_group),
}
"""A stream or a queue is asked for alike, whether the pipe reads it or writes to it."""
