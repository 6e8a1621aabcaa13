"""The services that a pipe sends its events to.

To add one, write a module that defines its KIND, and list it here.
"""

from __future__ import annotations

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
from eventbridge_pipes.targets.target import TargetKind

TARGETS: tuple[TargetKind, ...] = (
    lambda_function.KIND,
    sqs_queue.KIND,
    sns_topic.KIND,
    kinesis_stream.KIND,
    event_bus.KIND,
    state_machine.KIND,
    log_group.KIND,
)


def target_kind_of(arn: Arn) -> TargetKind | None:
    """Return the kind of a target; None when it is not supported."""
    return next((kind for kind in TARGETS if arn.matches(kind.service, kind.resource)), None)


def accepted_kind(text: str) -> TargetKind:
    """Return the kind of the target or the enrichment of a pipe that was accepted."""
    kind = target_kind_of(Arn.parse(text))
    assert kind, f"{text} was never accepted"  # noqa: S101
    return kind


def target_kind(pipe: Pipe) -> TargetKind:
    return accepted_kind(pipe.target)
