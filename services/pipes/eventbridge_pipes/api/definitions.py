"""From what the API is given to a pipe, and from a pipe to what the API answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eventbridge_pipes.arns import Arn
from eventbridge_pipes.model import Pipe, State
from eventbridge_pipes.sources.kinds import SourceKind

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
        target=request["Target"],
        role_arn=request["RoleArn"],
        created=now,
        modified=now,
        desired=State(request.get("DesiredState", State.RUNNING)),
        current=State.CREATING,
        description=request.get("Description"),
        source_parameters=_with_batch_size(request["SourceParameters"]),
        target_parameters=request.get("TargetParameters", {}),
        tags=request.get("Tags", {}),
    )


def merged(pipe: Pipe, request: Members) -> dict[str, Any]:
    """The definition, as CreatePipe has it, that UpdatePipe's `request` makes of `pipe`.

    What the request leaves out stays. The parameters of one service are replaced as a whole; the
    starting position, which no update can carry, stays.
    https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_UpdatePipe.html
    """
    source_parameters = dict(pipe.source_parameters) | dict(request.get("SourceParameters", {}))
    stream = source_parameters["KinesisStreamParameters"]
    before = pipe.source_parameters["KinesisStreamParameters"]
    kept = {name: before[name] for name in _STARTING_POSITION if name in before}
    source_parameters["KinesisStreamParameters"] = kept | stream
    return {
        "Source": pipe.source,
        "Target": pipe.target,
        "RoleArn": pipe.role_arn,
        "Description": pipe.description,
        "DesiredState": pipe.desired,
        "TargetParameters": pipe.target_parameters,
        **request,
        "SourceParameters": source_parameters,
    }


def updated(pipe: Pipe, definition: Members, now: float) -> Pipe:
    """`pipe` with the valid `definition` that `merged` made."""
    return replace(
        pipe,
        target=definition["Target"],
        role_arn=definition["RoleArn"],
        description=definition["Description"],
        desired=State(definition["DesiredState"]),
        source_parameters=_with_batch_size(definition["SourceParameters"]),
        target_parameters=definition["TargetParameters"],
        current=State.UPDATING,
        reason=None,
        modified=now,
    )


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
        "Target": pipe.target,
    }


def description(pipe: Pipe) -> dict[str, Any]:
    """A pipe as DescribePipe shows it; three members are there even when they are empty."""
    return summary(pipe) | {
        "Description": pipe.description,
        "SourceParameters": pipe.source_parameters,
        "EnrichmentParameters": {},
        "TargetParameters": pipe.target_parameters,
        "RoleArn": pipe.role_arn,
        "Tags": pipe.tags,
    }


def _with_batch_size(source_parameters: Members) -> dict[str, Any]:
    """AWS shows the batch size that a stream's pipe has even when none was given."""
    stream = {"BatchSize": SourceKind.KINESIS.default_batch_size} | source_parameters[
        "KinesisStreamParameters"
    ]
    return {**source_parameters, "KinesisStreamParameters": stream}
