"""EventBridge pipes from a Kinesis stream to a Lambda function."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from provisioner.decision import Broken, Observed, Pending
from provisioner.kinds.rounds import AllAtOnce
from provisioner.resources import Pipe
from provisioner.tags import known

if TYPE_CHECKING:
    from mypy_boto3_pipes import EventBridgePipesClient
    from mypy_boto3_pipes.type_defs import (
        DescribePipeResponseTypeDef,
        PipeSourceKinesisStreamParametersTypeDef,
        PipeTargetParametersTypeDef,
        UpdatePipeSourceKinesisStreamParametersTypeDef,
    )


class Pipes(AllAtOnce[Pipe]):
    def __init__(self, pipes: EventBridgePipesClient) -> None:
        self._pipes = pipes

    def look(self, desired: Pipe) -> Observed[Pipe]:
        try:
            actual = self._pipes.describe_pipe(Name=desired.name)
        except self._pipes.exceptions.NotFoundException:
            return None
        state = actual["CurrentState"]
        if state in ("RUNNING", "STOPPED"):
            return _pipe(actual)
        if state.endswith("FAILED"):
            reason = f"{state}: {actual.get('StateReason', 'AWS gives no reason')}"
            return Broken(_pipe(actual), reason, replaceable=state.startswith("CREATE"))
        return Pending(state)

    def create(self, desired: Pipe) -> None:
        parameters = cast(
            "PipeSourceKinesisStreamParametersTypeDef",
            {"StartingPosition": desired.starting_position, **_source_parameters(desired)},
        )
        self._pipes.create_pipe(
            Name=desired.name,
            RoleArn=desired.role,
            Source=desired.source,
            SourceParameters={"KinesisStreamParameters": parameters},
            Target=desired.target,
            TargetParameters=_target_parameters(desired),
            DesiredState="RUNNING",
            Tags=desired.tags,
        )

    def update(self, desired: Pipe, actual: Pipe) -> None:
        if actual.tags != desired.tags:
            self._pipes.tag_resource(resourceArn=actual.arn, tags=desired.tags)
        self._pipes.update_pipe(
            Name=desired.name,
            RoleArn=desired.role,
            SourceParameters={"KinesisStreamParameters": _source_parameters(desired)},
            Target=desired.target,
            TargetParameters=_target_parameters(desired),
            DesiredState="RUNNING",
        )

    def delete(self, desired: Pipe) -> None:
        self._pipes.delete_pipe(Name=desired.name)


def _pipe(actual: DescribePipeResponseTypeDef) -> Pipe:
    """What AWS leaves out of its answer is at its default."""
    source = actual.get("SourceParameters", {}).get("KinesisStreamParameters", {})
    target = actual.get("TargetParameters", {}).get("LambdaFunctionParameters", {})
    return Pipe(
        name=actual["Name"],
        arn=actual["Arn"],
        tags=known(actual.get("Tags", {})),
        role=actual["RoleArn"],
        source=actual["Source"],
        starting_position=source.get("StartingPosition", "LATEST"),
        target=actual["Target"],
        batch_size=source.get("BatchSize", 100),
        batching_window_seconds=source.get("MaximumBatchingWindowInSeconds", 0),
        max_retry_attempts=source.get("MaximumRetryAttempts", -1),
        max_record_age_seconds=source.get("MaximumRecordAgeInSeconds", -1),
        dead_letters=source.get("DeadLetterConfig", {}).get("Arn"),
        on_partial_failure=source.get("OnPartialBatchItemFailure"),
        invocation_type=target.get("InvocationType", "REQUEST_RESPONSE"),
        state=actual["CurrentState"],
    )


def _source_parameters(pipe: Pipe) -> UpdatePipeSourceKinesisStreamParametersTypeDef:
    parameters: UpdatePipeSourceKinesisStreamParametersTypeDef = {
        "BatchSize": pipe.batch_size,
        "MaximumBatchingWindowInSeconds": pipe.batching_window_seconds,
        "MaximumRetryAttempts": pipe.max_retry_attempts,
        "MaximumRecordAgeInSeconds": pipe.max_record_age_seconds,
    }
    if pipe.on_partial_failure is not None:
        parameters["OnPartialBatchItemFailure"] = pipe.on_partial_failure
    if pipe.dead_letters is not None:
        parameters["DeadLetterConfig"] = {"Arn": pipe.dead_letters}
    return parameters


def _target_parameters(pipe: Pipe) -> PipeTargetParametersTypeDef:
    return {"LambdaFunctionParameters": {"InvocationType": pipe.invocation_type}}
