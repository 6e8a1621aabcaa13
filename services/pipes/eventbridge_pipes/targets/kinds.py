"""The services that a pipe hands its events to. Each has a module; this is the list of them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import event_bus as bus
from eventbridge_pipes.targets import kinesis_stream as stream
from eventbridge_pipes.targets import lambda_function as function
from eventbridge_pipes.targets import log_group as logs
from eventbridge_pipes.targets import sns_topic as topic
from eventbridge_pipes.targets import sqs_queue as queue
from eventbridge_pipes.targets import state_machine as machine
from eventbridge_pipes.targets.target import Send, waits_for_answer

_MACHINE = "a Step Functions state machine"


class TargetKind(Enum):
    """A kind of target: its service, its name, its parameters, its largest batch, and its code.

    `batch_limit` is None where only the payload limits a batch. `connect` makes the target of a
    pipe.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    """

    LAMBDA = ("lambda", "a Lambda function", function.PARAMETERS, None, function.connect)
    SQS = ("sqs", "an SQS queue", queue.PARAMETERS, queue.BATCH_LIMIT, queue.connect)
    SNS = ("sns", "an SNS topic", None, topic.BATCH_LIMIT, topic.connect)
    KINESIS = (
        "kinesis",
        "a Kinesis stream",
        stream.PARAMETERS,
        stream.BATCH_LIMIT,
        stream.connect,
    )
    EVENT_BUS = ("events", "an EventBridge bus", bus.PARAMETERS, bus.BATCH_LIMIT, bus.connect)
    STATE_MACHINE = ("states", _MACHINE, machine.PARAMETERS, None, machine.connect)
    LOG_GROUP = (
        "logs",
        "a CloudWatch Logs log group",
        logs.PARAMETERS,
        logs.BATCH_LIMIT,
        logs.connect,
    )

    def __init__(
        self,
        service: str,
        label: str,
        parameters: str | None,
        batch_limit: int | None,
        connect: Callable[[Pipe, Clients], Send],
    ) -> None:
        self.service = service
        self.label = label
        self.parameters = parameters
        self.batch_limit = batch_limit
        self.connect = connect

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
        return machine.INPUT_BYTES
    return function.payload_limit(waits or kind is not TargetKind.LAMBDA)
