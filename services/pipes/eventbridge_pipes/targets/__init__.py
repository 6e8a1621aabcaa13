"""The services that a pipe sends its events to.

To add one, write a module that defines its KIND, and list it here. Most services take several
messages in a call, as Kinesis does (see kinesis_stream): then KIND is a BatchKind, and `connect`
returns the `send` of a BatchTarget. A function or a state machine takes them as one array, and is
an InvokedTarget.
"""

from __future__ import annotations

from dataclasses import replace

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


def target_kind(pipe: Pipe) -> TargetKind:
    kind = target_kind_of(Arn.parse(pipe.target))
    assert kind, f"{pipe.target} was never accepted"  # noqa: S101
    return kind


def to_enrichment(pipe: Pipe) -> Pipe | None:
    """Return a pipe whose target is the enrichment of `pipe`; None when it has none.

    Without parameters, a target is invoked for its answer. That is how an enrichment is invoked.
    """
    if not pipe.enrichment:
        return None
    return replace(pipe, target=pipe.enrichment, target_parameters={})
