"""From what the API is given to a pipe, and from a pipe to what the API answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eventbridge_pipes.api.rules.batches import default_batch_size
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.sources.kinds import SourceKind, source_kind
from eventbridge_pipes.targets.kinds import TargetKind, target_kind

Members = Mapping[str, Any]

_STARTING_POSITION = ("StartingPosition", "StartingPositionTimestamp")


def created(request: Members, region: str, now: float) -> Pipe:
    """The pipe that a valid CreatePipe request asks for. Its account is that of its role."""
    role = Arn.parse(request["RoleArn"])
    name = request["Name"]
    return Pipe(
        name=name,
        arn=f"arn:{role.partition}:pipes:{region}:{role.account}:pipe/{name}",
        source=request["Source"],
        created=now,
        modified=now,
        current=State.CREATING,
        tags=request.get("Tags", {}),
        **_settings(request),
    )


def merged(pipe: Pipe, request: Members) -> dict[str, Any]:
    """The definition, as CreatePipe has it, that UpdatePipe's `request` makes of `pipe`.

    What the request leaves out stays. The parameters of one service are replaced as a whole, and
    so is the log configuration; the starting position, which no update can carry, stays.
    https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_UpdatePipe.html
    """
    before = {
        "Description": pipe.description,
        "Enrichment": pipe.enrichment,
        "LogConfiguration": pipe.log_configuration,
    }
    return {
        "Source": pipe.source,
        "Target": pipe.target,
        "RoleArn": pipe.role_arn,
        "DesiredState": pipe.desired,
        **{name: value for name, value in before.items() if value is not None},
        **request,
        "SourceParameters": _merged_source(pipe, request),
        "EnrichmentParameters": {
            **pipe.enrichment_parameters,
            **request.get("EnrichmentParameters", {}),
        },
        "TargetParameters": _merged_target(pipe, request),
    }


def _merged_source(pipe: Pipe, request: Members) -> dict[str, Any]:
    parameters = {**pipe.source_parameters, **request.get("SourceParameters", {})}
    service = source_kind(pipe).parameters
    before = pipe.source_parameters[service]
    kept = {name: before[name] for name in _STARTING_POSITION if name in before}
    return {**parameters, service: {**kept, **parameters[service]}}


def _merged_target(pipe: Pipe, request: Members) -> dict[str, Any]:
    """A pipe that changes to another kind of target leaves the parameters of the old one behind.

    No request could take them off, and they would not belong to the new one.
    """
    kept = dict(pipe.target_parameters)
    kind = target_kind(pipe)
    target = Arn.parse(request.get("Target", pipe.target))
    if kind.parameters and kind is not TargetKind.of(target):
        kept.pop(kind.parameters, None)
    return {**kept, **request.get("TargetParameters", {})}


def updated(pipe: Pipe, definition: Members, now: float) -> Pipe:
    """`pipe` with the valid `definition` that `merged` made."""
    return replace(pipe, current=State.UPDATING, reason=None, modified=now, **_settings(definition))


def _settings(definition: Members) -> dict[str, Any]:
    """What create and update set alike, as members of a Pipe. Empty texts stand for nothing."""
    return {
        "target": definition["Target"],
        "role_arn": definition["RoleArn"],
        "desired": State(definition.get("DesiredState", State.RUNNING)),
        "description": definition.get("Description") or None,
        "source_parameters": _source_parameters(definition),
        "target_parameters": _without_empty_texts(definition.get("TargetParameters", {})),
        "enrichment": definition.get("Enrichment") or None,
        "enrichment_parameters": _without_empty_texts(definition.get("EnrichmentParameters", {})),
        "log_configuration": definition.get("LogConfiguration"),
    }


def _source_parameters(definition: Members) -> dict[str, Any]:
    """With the batch size, which AWS shows even when none was given; without a filter of nothing.

    A queue's pipe has its SqsQueueParameters even when no SourceParameters were given, as the
    acceptance tests of hashicorp/terraform-provider-aws (pipes, basicSQS) found it.
    """
    kind = SourceKind.of(Arn.parse(definition["Source"]))
    target = TargetKind.of(Arn.parse(definition["Target"]))
    assert kind, "not a valid definition"  # noqa: S101
    assert target, "not a valid definition"  # noqa: S101
    parameters = dict(definition.get("SourceParameters", {}))
    if not parameters.get("FilterCriteria", {}).get("Filters"):
        parameters.pop("FilterCriteria", None)
    size = {"BatchSize": default_batch_size(kind, target)}
    return {**parameters, kind.parameters: {**size, **parameters.get(kind.parameters, {})}}


def _without_empty_texts(members: Members) -> dict[str, Any]:
    return {
        name: _without_empty_texts(value) if isinstance(value, Mapping) else value
        for name, value in members.items()
        if value != ""
    }


def status(pipe: Pipe) -> dict[str, Any]:
    """The six members that create, update, start, stop and delete answer with."""
    return {
        "Arn": pipe.arn,
        "Name": pipe.name,
        "DesiredState": pipe.desired,
        "CurrentState": pipe.current,
        "CreationTime": pipe.created,
        "LastModifiedTime": pipe.modified,
    }


def summary(pipe: Pipe) -> dict[str, Any]:
    """A pipe as ListPipes shows it."""
    return status(pipe) | {
        "StateReason": pipe.reason,
        "Source": pipe.source,
        "Enrichment": pipe.enrichment,
        "Target": pipe.target,
    }


def description(pipe: Pipe) -> dict[str, Any]:
    """A pipe as DescribePipe shows it; three members are there even when they are empty."""
    return summary(pipe) | {
        "Description": pipe.description,
        "SourceParameters": pipe.source_parameters,
        "EnrichmentParameters": pipe.enrichment_parameters,
        "TargetParameters": pipe.target_parameters,
        "RoleArn": pipe.role_arn,
        "LogConfiguration": pipe.log_configuration,
        "Tags": pipe.tags,
    }
