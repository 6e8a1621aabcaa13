"""The target and the enrichment that a pipe names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets.event_bus import BusTarget
from eventbridge_pipes.targets.kinds import TargetKind, target_kind, waits_for_target
from eventbridge_pipes.targets.kinesis_stream import StreamTarget
from eventbridge_pipes.targets.lambda_function import Function
from eventbridge_pipes.targets.log_group import LogGroupTarget
from eventbridge_pipes.targets.sns_topic import TopicTarget
from eventbridge_pipes.targets.sqs_queue import QueueTarget
from eventbridge_pipes.targets.state_machine import StateMachine
from eventbridge_pipes.targets.target import Answer, Calls, Enrichment, Message, Target


class InvokedTarget:
    """A function or a state machine as target.

    `waits`: for its answer (REQUEST_RESPONSE); else it is only started (FIRE_AND_FORGET).
    """

    def __init__(self, invoked: Function | StateMachine, waits: bool) -> None:
        self._invoked = invoked
        self._waits = waits

    def send(self, messages: Sequence[Message], calls: Calls) -> Answer:
        if self._waits:
            return self._invoked.call(messages, calls)
        return self._invoked.start(messages, calls)


def target_of(pipe: Pipe, clients: Clients) -> Target:
    arn, kind = Arn.parse(pipe.target), target_kind(pipe)
    parameters: Mapping[str, Any] = pipe.target_parameters.get(kind.parameters or "", {})
    match kind:
        case TargetKind.LAMBDA | TargetKind.STATE_MACHINE:
            return InvokedTarget(_invoked(arn, clients), waits_for_target(pipe))
        case TargetKind.SQS:
            return QueueTarget(clients.sqs_calls, arn, parameters)
        case TargetKind.SNS:
            return TopicTarget(clients.sns, arn)
        case TargetKind.KINESIS:
            return StreamTarget(clients.kinesis, arn, parameters["PartitionKey"])
        case TargetKind.EVENT_BUS:
            source = Arn.parse(pipe.source)
            return BusTarget(clients.events, arn, pipe.name, source, parameters)
        case TargetKind.LOG_GROUP:
            return LogGroupTarget(clients.logs, arn, pipe.name, parameters)


def enrichment_of(pipe: Pipe, clients: Clients) -> Enrichment | None:
    """None when the pipe has none. It is always waited for."""
    return _invoked(Arn.parse(pipe.enrichment), clients) if pipe.enrichment else None


def _invoked(arn: Arn, clients: Clients) -> Function | StateMachine:
    if arn.service == TargetKind.LAMBDA.service:
        return Function(clients.invoker, arn.text)
    return StateMachine(clients.stepfunctions, arn.text)
