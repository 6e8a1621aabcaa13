"""The services that a pipe hands its events to. Each has a module; this is the list of them."""

from __future__ import annotations

from enum import Enum

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import (
    event_bus,
    kinesis_stream,
    lambda_function,
    log_group,
    sns_topic,
    sqs_queue,
    state_machine,
)
from eventbridge_pipes.targets.target import Kind, waits_for_answer


class TargetKind(Kind, Enum):
    """See Kind."""

    LAMBDA = lambda_function.KIND
    SQS = sqs_queue.KIND
    SNS = sns_topic.KIND
    KINESIS = kinesis_stream.KIND
    EVENT_BUS = event_bus.KIND
    STATE_MACHINE = state_machine.KIND
    LOG_GROUP = log_group.KIND

    @classmethod
    def of(cls, arn: Arn) -> TargetKind | None:
        """None for a target that is not carried out.

        A function or a state machine may be qualified by a version or an alias, a log group by
        the `:*` that CloudFormation puts after its ARN; the name of a bus may have slashes.
        """
        match arn.service, arn.resource.split(":"):
            case "lambda", ["function", _] | ["function", _, _]:
                return cls.LAMBDA
            case "sqs", [_]:
                return cls.SQS
            case "sns", [_]:
                return cls.SNS
            case "kinesis", [resource] if resource.split("/")[:-1] == ["stream"]:
                return cls.KINESIS
            case "events", [resource] if resource.startswith("event-bus/"):
                return cls.EVENT_BUS
            case "states", ["stateMachine", _] | ["stateMachine", _, _]:
                return cls.STATE_MACHINE
            case "logs", ["log-group", _] | ["log-group", _, "*"]:
                return cls.LOG_GROUP
        return None


def target_kind(pipe: Pipe) -> TargetKind:
    kind = TargetKind.of(Arn.parse(pipe.target))
    assert kind, f"{pipe.target} was never accepted as a target"  # noqa: S101
    return kind


def waits_for_target(pipe: Pipe) -> bool:
    """Return whether a function or a state machine is invoked for its answer: the default."""
    return waits_for_answer(pipe, target_kind(pipe).parameters or "")


def payload_limit(kind: TargetKind | None, waits: bool) -> int:
    """Return the bytes of a batch for a target or an enrichment; `waits`: for its answer.

    What takes messages one by one sets no limit of its own.
    """
    if kind is TargetKind.STATE_MACHINE:
        return state_machine.INPUT_BYTES
    return lambda_function.payload_limit(waits or kind is not TargetKind.LAMBDA)
