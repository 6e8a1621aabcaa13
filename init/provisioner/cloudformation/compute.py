"""What works on data, and what it may do: functions, pipes, event source mappings, roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.cloudformation.bodies import Entries, body
from provisioner.cloudformation.references import References, substituted
from provisioner.kinds.roles import POLICY_NAME
from provisioner.resources import EventSource, Function, Pipe, QueueSource, Role, TableSource
from provisioner.tags import as_list


def role(role: Role, references: References) -> Entries:
    """Its policies name what they are about by Fn::Sub: a function refers to its role already."""
    yield (
        references.id_of(role),
        body(
            "AWS::IAM::Role",
            {
                "RoleName": role.name,
                "AssumeRolePolicyDocument": substituted(role.trust.document),
                "Policies": role.policy
                and [
                    {
                        "PolicyName": POLICY_NAME,
                        "PolicyDocument": substituted(role.policy.document),
                    }
                ],
                "Tags": as_list(role.tags),
            },
        ),
    )


def function(function: Function, references: References) -> Entries:
    """After its log group, which Lambda would make itself once the function says something."""
    logical_id = references.id_of(function)
    environment = {name: references.arn(value) for name, value in function.environment.items()}
    yield (
        logical_id,
        body(
            "AWS::Lambda::Function",
            {
                "FunctionName": function.name,
                "Runtime": function.runtime,
                "Role": references.arn(function.role),
                "Handler": function.handler,
                "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}},
                "Timeout": function.timeout_seconds,
                "MemorySize": function.memory_mb,
                "Environment": {"Variables": environment},
                "Tags": as_list(function.tags),
            },
            DependsOn=[f"{logical_id}LogGroup"],
        ),
    )


def pipe(pipe: Pipe, references: References) -> Entries:
    source = {
        "StartingPosition": pipe.starting_position,
        "BatchSize": pipe.batch_size,
        "MaximumBatchingWindowInSeconds": pipe.batching_window_seconds,
        "MaximumRetryAttempts": pipe.max_retry_attempts,
        "MaximumRecordAgeInSeconds": pipe.max_record_age_seconds,
        "OnPartialBatchItemFailure": pipe.on_partial_failure,
        "DeadLetterConfig": pipe.dead_letters and {"Arn": references.arn(pipe.dead_letters)},
    }
    given = {name: value for name, value in source.items() if value is not None}
    yield (
        references.id_of(pipe),
        body(
            "AWS::Pipes::Pipe",
            {
                "Name": pipe.name,
                "RoleArn": references.arn(pipe.role),
                "Source": references.arn(pipe.source),
                "SourceParameters": {"KinesisStreamParameters": given},
                "Target": references.arn(pipe.target),
                "TargetParameters": {
                    "LambdaFunctionParameters": {"InvocationType": pipe.invocation_type}
                },
                "DesiredState": pipe.state,
                "Tags": dict(pipe.tags),
            },
        ),
    )


def _event_source(source: EventSource, references: References, more: Mapping[str, Any]) -> Entries:
    function = references.function(source.function)
    queue_or_table = references.id_of_arn(source.source)
    attribute = "StreamArn" if isinstance(source, TableSource) else "Arn"
    yield (
        f"{queue_or_table}To{function}",
        body(
            "AWS::Lambda::EventSourceMapping",
            {
                "FunctionName": {"Ref": function},
                "EventSourceArn": {"Fn::GetAtt": f"{queue_or_table}.{attribute}"},
                "BatchSize": source.batch_size,
                "MaximumBatchingWindowInSeconds": source.batching_window_seconds,
                "Enabled": source.enabled,
                **more,
                "Tags": as_list(source.tags),
            },
        ),
    )


def queue_source(source: QueueSource, references: References) -> Entries:
    return _event_source(
        source,
        references,
        {
            "ScalingConfig": {"MaximumConcurrency": source.max_concurrency},
            "FunctionResponseTypes": list(source.response_types),
        },
    )


def table_source(source: TableSource, references: References) -> Entries:
    return _event_source(
        source,
        references,
        {
            "StartingPosition": source.starting_position,
            "MaximumRetryAttempts": source.max_retry_attempts,
            "MaximumRecordAgeInSeconds": source.max_record_age_seconds,
            "BisectBatchOnFunctionError": source.bisect,
        },
    )
