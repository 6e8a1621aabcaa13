"""The services that a pipe hands its events to, and what differs between them."""

from __future__ import annotations

from enum import Enum

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.pipe import Pipe


class TargetKind(Enum):
    """A kind of target: what its ARN looks like, its name, its parameters, and its largest batch.

    `batch_limit` is None where only the payload limits a batch.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    """

    LAMBDA = ("lambda", "a Lambda function", "LambdaFunctionParameters", None)
    SQS = ("sqs", "an SQS queue", "SqsQueueParameters", 10)
    SNS = ("sns", "an SNS topic", None, 10)
    KINESIS = ("kinesis", "a Kinesis stream", "KinesisStreamParameters", 500)
    EVENT_BUS = ("events", "an EventBridge bus", "EventBridgeEventBusParameters", 10)
    STATE_MACHINE = (
        "states",
        "a Step Functions state machine",
        "StepFunctionStateMachineParameters",
        None,
    )
    LOG_GROUP = ("logs", "a CloudWatch Logs log group", "CloudWatchLogsParameters", 10_000)

    def __init__(
        self, service: str, label: str, parameters: str | None, batch_limit: int | None
    ) -> None:
        self.service = service
        self.label = label
        self.parameters = parameters
        self.batch_limit = batch_limit

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
    parameters = pipe.target_parameters.get(target_kind(pipe).parameters or "", {})
    return bool(parameters.get("InvocationType") != "FIRE_AND_FORGET")
