from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eventbridge_pipes.api import operations
from eventbridge_pipes.arn import Scope
from eventbridge_pipes.execution.batch import batch_rules
from eventbridge_pipes.execution.retry import RetryPolicy, retry_policy
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.targets import target_kind
from pipes_requests import (
    BUS,
    FIFO_QUEUE,
    FUNCTION,
    QUEUE,
    SCOPE,
    STATE_MACHINE,
    STREAM,
    TABLE_STREAM,
    definition,
    filtered,
    from_stream,
    logged,
    to,
    to_log_group,
)

STREAM_REQUEST = from_stream(
    StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1.0, MaximumRetryAttempts=3
)
GROUP = {"SqsQueueParameters": {"MessageGroupId": "g"}}


def created(request: dict[str, Any] | None = None) -> Pipe:
    return operations.new_pipe(request or STREAM_REQUEST, SCOPE, now=5.0)


def updated(pipe: Pipe, **request: Any) -> Pipe:
    merged = operations.merged(pipe, {"Name": pipe.name, "RoleArn": pipe.role_arn, **request})
    return operations.updated_pipe(merged, now=9.0)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
        ("cnx-1", "aws"),
    ],
)
def test_a_new_pipe_has_an_arn_in_the_callers_account_and_region_and_is_creating(
    region: str, partition: str
) -> None:
    pipe = operations.new_pipe(definition(), Scope("111111111111", region), now=5.0)
    assert pipe.arn == f"arn:{partition}:pipes:{region}:111111111111:pipe/p"
    assert (pipe.current, pipe.desired) == (State.CREATING, State.RUNNING)


@pytest.mark.parametrize(
    ("request_", "parameters", "size"),
    [
        (definition(STREAM), "KinesisStreamParameters", 100),
        (definition(TABLE_STREAM), "DynamoDBStreamParameters", 100),
        (definition(QUEUE), "SqsQueueParameters", 10),
        (definition(STREAM, target=QUEUE), "KinesisStreamParameters", 10),
        (definition(TABLE_STREAM, target=BUS), "DynamoDBStreamParameters", 10),
        (from_stream(QUEUE, BatchSize=7), "KinesisStreamParameters", 7),
    ],
)
def test_a_pipe_shows_its_batch_size_when_none_was_given(
    request_: dict[str, Any], parameters: str, size: int
) -> None:
    described = operations.described(created(request_))
    assert described["SourceParameters"][parameters]["BatchSize"] == size


def test_three_members_are_described_when_they_are_empty_and_others_are_not() -> None:
    described = operations.described(created(definition(Enrichment="", Description="")))
    for member in ("EnrichmentParameters", "TargetParameters", "Tags"):
        assert described[member] == {}
    for member in ("Enrichment", "Description", "LogConfiguration", "StateReason"):
        assert described[member] is None
    assert "FilterCriteria" not in described["SourceParameters"]


def test_what_was_asked_for_is_described_as_it_was_given() -> None:
    request = (
        filtered('{"data": {"a": [1]}}')
        | logged("INFO", **to_log_group())
        | {
            "Enrichment": STATE_MACHINE,
            "EnrichmentParameters": {"InputTemplate": "<$.data.a>"},
            "Target": FIFO_QUEUE,
            "TargetParameters": {"InputTemplate": "<$.b>", **GROUP},
            "SourceParameters": filtered('{"data": {"a": [1]}}')["SourceParameters"],
        }
    )
    described = operations.described(created(request))
    for member in ("Enrichment", "EnrichmentParameters", "Target", "TargetParameters"):
        assert described[member] == request[member]
    assert described["LogConfiguration"] == request["LogConfiguration"]
    criteria = request["SourceParameters"]["FilterCriteria"]
    assert described["SourceParameters"]["FilterCriteria"] == criteria


def test_an_update_keeps_what_it_is_not_given() -> None:
    request = {
        **filtered('{"data": {"a": [1]}}'),
        **to(FIFO_QUEUE, InputTemplate="<$.a>", **GROUP),
        "Source": STREAM,
        "SourceParameters": filtered('{"data": {"a": [1]}}')["SourceParameters"],
        "Description": "d",
        "DesiredState": "STOPPED",
        "Enrichment": FUNCTION,
        "EnrichmentParameters": {"InputTemplate": "<$.a>"},
        "LogConfiguration": {"Level": "INFO", **to_log_group()},
    }
    pipe = created(request)
    assert updated(pipe) == replace(pipe, current=State.UPDATING, modified=9.0)


def test_an_update_replaces_all_parameters_but_the_starting_position() -> None:
    after = updated(created(), SourceParameters={"KinesisStreamParameters": {"BatchSize": 7}})
    assert after.source_parameters["KinesisStreamParameters"] == {
        "StartingPosition": "AT_TIMESTAMP",
        "StartingPositionTimestamp": 1.0,
        "BatchSize": 7,
    }


def test_what_a_replaced_parameter_does_not_say_is_the_default_again() -> None:
    pipe = created(from_stream(BatchSize=7))
    after = updated(pipe, SourceParameters={"KinesisStreamParameters": {}})
    assert batch_rules(after).size == 100


def test_the_parameters_of_a_target_are_replaced_as_a_whole_and_the_template_stays() -> None:
    parameters = {"MessageGroupId": "g", "MessageDeduplicationId": "$.messageId"}
    pipe = created(to(FIFO_QUEUE, InputTemplate="<$.a>", SqsQueueParameters=parameters))
    after = updated(pipe, TargetParameters={"SqsQueueParameters": {"MessageGroupId": "h"}})
    assert after.target_parameters == {
        "InputTemplate": "<$.a>",
        "SqsQueueParameters": {"MessageGroupId": "h"},
    }


def test_a_target_of_another_kind_leaves_the_parameters_of_the_old_one_behind() -> None:
    pipe = created(to(FIFO_QUEUE, InputTemplate="<$.a>", **GROUP))
    parameters = {"KinesisStreamParameters": {"PartitionKey": "k"}}
    after = updated(pipe, Target=STREAM, TargetParameters=parameters)
    assert after.target_parameters == {"InputTemplate": "<$.a>", **parameters}
    another = updated(pipe, Target=f"{QUEUE}-2.fifo")
    assert another.target_parameters == pipe.target_parameters


def test_the_log_configuration_is_replaced_as_a_whole() -> None:
    pipe = created(logged("INFO", **to_log_group(), IncludeExecutionData=["ALL"]))
    configuration = {"Level": "ERROR", **to_log_group()}
    assert updated(pipe, LogConfiguration=configuration).log_configuration == configuration


def test_empty_texts_and_lists_take_away() -> None:
    pipe = created(
        {
            **to(FUNCTION, InputTemplate="<$.a>"),
            **filtered('{"body": {"a": [1]}}', source=QUEUE),
            "Description": "d",
            "Enrichment": FUNCTION,
            "EnrichmentParameters": {"InputTemplate": "<$.a>"},
        }
    )
    after = updated(
        pipe,
        Description="",
        Enrichment="",
        EnrichmentParameters={"InputTemplate": ""},
        TargetParameters={"InputTemplate": ""},
        SourceParameters={"FilterCriteria": {"Filters": []}},
    )
    assert after.description is None
    assert after.enrichment is None
    assert after.enrichment_parameters == after.target_parameters == {}
    assert after.source_parameters == {"SqsQueueParameters": {"BatchSize": 10}}
    assert after.filters == ()


def test_a_pipe_is_the_same_after_being_stored() -> None:
    pipe = created(logged("INFO", **to_log_group()))
    assert Pipe.from_json(pipe.to_json()) == pipe


def test_without_limits_of_its_own_a_stream_is_retried_without_limit() -> None:
    pipe = created(definition(STREAM))
    assert retry_policy(pipe) == RetryPolicy(maximum_retries=-1, maximum_age=-1, bisect=False)
    assert (pipe.lanes, pipe.dead_letter_arn) == (1, None)


def waits(pipe: Pipe) -> bool:
    return target_kind(pipe).waits(pipe)


def test_a_target_is_waited_for_unless_it_is_to_be_fired_and_forgotten() -> None:
    forgotten = {"InvocationType": "FIRE_AND_FORGET"}
    assert waits(created(to(FUNCTION)))
    assert waits(created(to(QUEUE)))
    assert not waits(created(to(FUNCTION, LambdaFunctionParameters=forgotten)))
    machine = to(STATE_MACHINE, StepFunctionStateMachineParameters=forgotten)
    assert not waits(created(machine))


def test_a_log_that_is_off_goes_nowhere() -> None:
    assert created(definition()).log_group_arn is None
    assert created(logged("OFF", **to_log_group())).log_group_arn is None
    assert created(logged("ERROR", **to_log_group())).log_group_arn is not None
