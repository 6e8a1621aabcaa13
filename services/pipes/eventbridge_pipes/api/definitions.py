"""From the members of a request to a pipe, and from a pipe to the members of a response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eventbridge_pipes.api.rules import default_batch_size
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.sources import source_kind
from eventbridge_pipes.targets import target_kind, target_kind_of

Members = Mapping[str, Any]

_STARTING_POSITION = ("StartingPosition", "StartingPositionTimestamp")


def created(request: Members, region: str, now: float) -> Pipe:
    """The pipe that a valid CreatePipe request asks for. Its account is that of its role."""
    role = Arn.parse(request["RoleArn"])
    name = request["Name"]
    pipe = Pipe(
        name=name,
        arn=f"arn:{role.partition}:pipes:{region}:{role.account}:pipe/{name}",
        source=request["Source"],
        created=now,
        modified=now,
        current=State.CREATING,
        tags=request.get("Tags", {}),
        **_settings(request),
    )
    return _completed(pipe)


def merged(pipe: Pipe, request: Members) -> dict[str, Any]:
    """The definition that UpdatePipe's `request` makes of `pipe`.

    What the request leaves out stays. The parameters of one service are replaced as a whole, and
    so is the log configuration; the starting position, which no update can carry, stays.
    https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_UpdatePipe.html
    """
    before = {name: value for name, value in members(pipe).items() if value is not None}
    enrichment = {**pipe.enrichment_parameters, **request.get("EnrichmentParameters", {})}
    return {
        **before,
        **request,
        "SourceParameters": _merged_source(pipe, request),
        "EnrichmentParameters": enrichment,
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
    if kind is not target_kind_of(target):
        kept.pop(kind.parameters, None)
    return {**kept, **request.get("TargetParameters", {})}


def updated(pipe: Pipe, definition: Members, now: float) -> Pipe:
    """`pipe` with the valid `definition` that `merged` made."""
    settings = _settings(definition)
    return _completed(replace(pipe, current=State.UPDATING, reason=None, modified=now, **settings))


def _settings(definition: Members) -> dict[str, Any]:
    """The members of a Pipe that create and update set alike. Empty texts are None."""
    return {
        "target": definition["Target"],
        "role_arn": definition["RoleArn"],
        "desired": State(definition.get("DesiredState", State.RUNNING)),
        "description": definition.get("Description") or None,
        "source_parameters": definition.get("SourceParameters", {}),
        "target_parameters": _without_empty_texts(definition.get("TargetParameters", {})),
        "enrichment": definition.get("Enrichment") or None,
        "enrichment_parameters": _without_empty_texts(definition.get("EnrichmentParameters", {})),
        "log_configuration": definition.get("LogConfiguration"),
    }


def _completed(pipe: Pipe) -> Pipe:
    """Add the batch size, which AWS shows even when none was given, and remove an empty filter.

    A queue's pipe has its SqsQueueParameters even when no SourceParameters were given, as the
    acceptance tests of hashicorp/terraform-provider-aws (pipes, basicSQS) found it.
    """
    service = source_kind(pipe).parameters
    parameters = dict(pipe.source_parameters)
    if not parameters.get("FilterCriteria", {}).get("Filters"):
        parameters.pop("FilterCriteria", None)
    size = {"BatchSize": default_batch_size(source_kind(pipe), target_kind(pipe))}
    parameters[service] = {**size, **parameters.get(service, {})}
    return replace(pipe, source_parameters=parameters)


def _without_empty_texts(parameters: Members) -> dict[str, Any]:
    return {
        name: _without_empty_texts(value) if isinstance(value, Mapping) else value
        for name, value in parameters.items()
        if value != ""
    }


def members(pipe: Pipe) -> dict[str, Any]:
    """A pipe as DescribePipe shows it, where three members are there even when they are empty.

    The other operations answer with those of these members that the model gives their responses.
    """
    return {
        "Arn": pipe.arn,
        "Name": pipe.name,
        "DesiredState": pipe.desired,
        "CurrentState": pipe.current,
        "StateReason": pipe.reason,
        "CreationTime": pipe.created,
        "LastModifiedTime": pipe.modified,
        "Description": pipe.description,
        "Source": pipe.source,
        "SourceParameters": pipe.source_parameters,
        "Enrichment": pipe.enrichment,
        "EnrichmentParameters": pipe.enrichment_parameters,
        "Target": pipe.target,
        "TargetParameters": pipe.target_parameters,
        "RoleArn": pipe.role_arn,
        "LogConfiguration": pipe.log_configuration,
        "Tags": pipe.tags,
    }
