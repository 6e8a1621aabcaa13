"""The target and the enrichment that a pipe names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventbridge_pipes.arns import Arn
from eventbridge_pipes.clients import Clients
from eventbridge_pipes.model import Pipe
from eventbridge_pipes.targets.bus import BusTarget
from eventbridge_pipes.targets.function import Function
from eventbridge_pipes.targets.kinds import TargetKind
from eventbridge_pipes.targets.log_group import LogGroupTarget
from eventbridge_pipes.targets.queue import QueueTarget
from eventbridge_pipes.targets.state_machine import StateMachine
from eventbridge_pipes.targets.stream import StreamTarget
from eventbridge_pipes.targets.target import Enrichment, Target
from eventbridge_pipes.targets.topic import TopicTarget


def target_of(pipe: Pipe, clients: Clients) -> Target:
    arn, kind = Arn.parse(pipe.target), pipe.target_kind
    parameters: Mapping[str, Any] = pipe.target_parameters.get(kind.parameters or "", {})
    match kind:
        case TargetKind.LAMBDA:
            return Function(clients.lambda_, arn.text, pipe.waits_for_target)
        case TargetKind.STATE_MACHINE:
            return StateMachine(clients.stepfunctions, arn.text, pipe.waits_for_target)
        case TargetKind.SQS:
            return QueueTarget(clients.sqs, arn, parameters)
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
    if not pipe.enrichment:
        return None
    arn = Arn.parse(pipe.enrichment)
    match TargetKind.of(arn):
        case TargetKind.LAMBDA:
            return Function(clients.lambda_, arn.text)
        case TargetKind.STATE_MACHINE:
            return StateMachine(clients.stepfunctions, arn.text)
    raise ValueError(f"{arn.text} was never accepted as an enrichment")
