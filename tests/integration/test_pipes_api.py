"""The ten operations through boto3, beside the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from pipes_requests import (
    BUS,
    FUNCTION,
    LOG_GROUP,
    QUEUE,
    STATE_MACHINE,
    STREAM,
    TABLE_STREAM,
    TOPIC,
    arn,
    definition,
    from_queue,
    from_stream,
    to_log_group,
)
from pipes_service import ROLE, Pipeline, PipesProcess, in_state, pipes_process, unique
from servers import AwsClient
from waiting import eventually

UPDATED = "Async workflow completed without requiring PJD update"
"""The reason of the state of a running pipe after an update."""


@pytest.fixture(scope="module")
def pipes(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    with pipes_process(emulator, tmp_path_factory.mktemp("pipes") / "state") as process:
        yield process


@pytest.fixture(scope="module")
def pipeline(aws: AwsClient) -> Pipeline:
    """Resources that pipes of several tests may name; no records flow."""
    return Pipeline(aws, unique("test_api"))


@pytest.fixture(scope="module")
def client(pipes: PipesProcess) -> Any:
    return pipes.client()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return unique(request.node.name)


def make(client: Any, pipeline: Pipeline, name: str, **members: Any) -> dict[str, Any]:
    definition = pipeline.definition() | {"Name": name} | members
    answer: dict[str, Any] = client.create_pipe(**definition)
    return answer


def dead_letters(to: str) -> Any:
    return from_stream(DeadLetterConfig={"Arn": to})["SourceParameters"]


def gone(client: Any, name: str) -> bool:
    try:
        client.describe_pipe(Name=name)
    except client.exceptions.NotFoundException:
        return True
    return False


def send(
    pipes: PipesProcess, method: str, path: str, body: bytes | None = None
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """A request as no SDK would send it: status, headers, and the body's JSON."""
    connection = HTTPConnection("127.0.0.1", pipes.port, timeout=10)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), json.load(response)
    finally:
        connection.close()


def test_a_pipe_is_created_running_and_described_as_on_aws(
    client: Any, pipeline: Pipeline, name: str
) -> None:
    created = make(client, pipeline, name)
    created.pop("ResponseMetadata")
    changed = created["LastModifiedTime"]
    assert changed.microsecond % 1000 == 0
    assert set(created) == {
        "Arn",
        "Name",
        "DesiredState",
        "CurrentState",
        "CreationTime",
        "LastModifiedTime",
    }
    assert (created["DesiredState"], created["CurrentState"]) == ("RUNNING", "CREATING")
    described = in_state(client, name, "RUNNING")
    described.pop("ResponseMetadata")
    assert described == {
        **created,
        "LastModifiedTime": changed.replace(microsecond=0),
        "CurrentState": "RUNNING",
        "StateReason": "USER_INITIATED",
        "Source": pipeline.stream_arn,
        "SourceParameters": {
            "KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 100}
        },
        "EnrichmentParameters": {},
        "Target": pipeline.function_arn,
        "TargetParameters": {},
        "RoleArn": ROLE,
        "Tags": {},
    }


def test_a_pipe_created_stopped_stays_stopped_until_it_is_started(
    client: Any, pipeline: Pipeline, name: str
) -> None:
    assert "StateReason" not in make(client, pipeline, name, DesiredState="STOPPED")
    assert in_state(client, name, "STOPPED")["StateReason"] == "USER_INITIATED"
    client.update_pipe(Name=name, RoleArn=ROLE, Description="stopped")
    assert in_state(client, name, "STOPPED")["StateReason"] == "USER_INITIATED"
    assert client.start_pipe(Name=name)["CurrentState"] == "STARTING"
    assert in_state(client, name, "RUNNING")["StateReason"] == "User initiated"
    assert client.start_pipe(Name=name)["CurrentState"] == "RUNNING"
    assert client.stop_pipe(Name=name)["CurrentState"] == "STOPPING"
    assert in_state(client, name, "STOPPED")["StateReason"] == "User initiated"


def test_an_update_changes_what_it_is_given_and_nothing_else(
    client: Any, pipeline: Pipeline, name: str
) -> None:
    make(client, pipeline, name, Description="before", Tags={"a": "b"})
    before = in_state(client, name, "RUNNING")
    answer = client.update_pipe(Name=name, RoleArn=ROLE, Description="after")
    assert answer["CurrentState"] == "UPDATING"
    after = in_state(client, name, "RUNNING")
    assert after.pop("LastModifiedTime") >= before.pop("LastModifiedTime")
    assert after["StateReason"] == UPDATED
    for description in (before, after):
        description.pop("ResponseMetadata")
    assert after == before | {"Description": "after", "StateReason": UPDATED}


def test_a_deleted_pipe_is_gone(client: Any, pipeline: Pipeline, name: str) -> None:
    make(client, pipeline, name)
    in_state(client, name, "RUNNING")
    answer = client.delete_pipe(Name=name)
    assert (answer["DesiredState"], answer["CurrentState"]) == ("STOPPED", "DELETING")
    eventually(lambda: gone(client, name))


def test_a_name_is_taken_once(client: Any, pipeline: Pipeline, name: str) -> None:
    make(client, pipeline, name)
    with pytest.raises(client.exceptions.ConflictException) as raised:
        make(client, pipeline, name)
    answer = raised.value.response
    assert answer["Error"]["Message"] == f"Pipe {name} already exists."
    assert (answer["resourceId"], answer["resourceType"]) == (name, "Pipe")


@pytest.mark.parametrize("operation", ["describe", "update", "delete", "start", "stop"])
def test_an_unknown_pipe_is_not_found(client: Any, operation: str) -> None:
    arguments = {"RoleArn": ROLE} if operation == "update" else {}
    with pytest.raises(client.exceptions.NotFoundException) as raised:
        getattr(client, f"{operation}_pipe")(Name="nobody", **arguments)
    assert raised.value.response["Error"]["Message"] == "Pipe nobody does not exist."


def test_tags_are_put_listed_and_taken_off(client: Any, pipeline: Pipeline, name: str) -> None:
    arn = make(client, pipeline, name, Tags={"kept": "1", "gone": "2"})["Arn"]
    client.tag_resource(resourceArn=arn, tags={"added": "3", "kept": "4"})
    client.untag_resource(resourceArn=arn, tagKeys=["gone", "unknown"])
    expected = {"kept": "4", "added": "3"}
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == expected
    assert client.describe_pipe(Name=name)["Tags"] == expected


def test_a_pipe_has_at_most_fifty_tags(client: Any, pipeline: Pipeline, name: str) -> None:
    arn = make(client, pipeline, name, Tags={f"{n}": "" for n in range(50)})["Arn"]
    client.tag_resource(resourceArn=arn, tags={"0": "again"})
    with pytest.raises(client.exceptions.ValidationException):
        client.tag_resource(resourceArn=arn, tags={"one more": ""})


def test_tags_of_an_unknown_pipe_are_not_found(client: Any) -> None:
    arn = "arn:aws:pipes:us-east-1:000000000000:pipe/nobody"
    with pytest.raises(client.exceptions.NotFoundException):
        client.list_tags_for_resource(resourceArn=arn)


def test_pipes_are_listed_in_pages_by_name_and_filter(
    client: Any, pipeline: Pipeline, name: str
) -> None:
    names = [f"{name}-{letter}" for letter in "abcde"]
    for each in names:
        make(client, pipeline, each, DesiredState="STOPPED")
    for each in names:
        in_state(client, each, "STOPPED")
    pages = client.get_paginator("list_pipes").paginate(
        NamePrefix=name, PaginationConfig={"PageSize": 2}
    )
    found = [page["Pipes"] for page in pages]
    assert [len(page) for page in found] == [2, 2, 1]
    assert [pipe["Name"] for page in found for pipe in page] == names
    assert {pipe["Source"] for page in found for pipe in page} == {pipeline.stream_arn}

    def count(**filters: str) -> int:
        return len(client.list_pipes(NamePrefix=name, **filters)["Pipes"])

    assert count(DesiredState="STOPPED", CurrentState="STOPPED") == 5
    assert count(DesiredState="RUNNING") == 0
    assert count(CurrentState="RUNNING") == 0
    assert count(SourcePrefix=pipeline.stream_arn[:-3], TargetPrefix="arn:aws:lambda") == 5
    assert count(SourcePrefix="arn:aws:sqs") == 0
    assert count(TargetPrefix="arn:aws:sqs") == 0


SINK = {"KinesisStreamParameters": {"PartitionKey": "k"}}


@pytest.mark.parametrize(
    ("absent", "members"),
    [
        (STREAM, {"Source": STREAM}),
        (TABLE_STREAM, definition(TABLE_STREAM)),
        (QUEUE, from_queue()),
        (FUNCTION, {"Target": FUNCTION}),
        (QUEUE, {"Target": QUEUE}),
        (TOPIC, {"Target": TOPIC}),
        (STREAM, {"Target": STREAM, "TargetParameters": SINK}),
        (BUS, {"Target": BUS}),
        (STATE_MACHINE, {"Target": STATE_MACHINE}),
        (LOG_GROUP, {"Target": LOG_GROUP}),
        (FUNCTION, {"Enrichment": FUNCTION}),
        (STATE_MACHINE, {"Enrichment": STATE_MACHINE}),
        (QUEUE, {"SourceParameters": dead_letters(QUEUE)}),
        (TOPIC, {"SourceParameters": dead_letters(TOPIC)}),
        (LOG_GROUP, {"LogConfiguration": {"Level": "INFO", **to_log_group()}}),
    ],
)
def test_a_pipe_whose_resource_is_missing_fails_and_says_which(
    client: Any, pipeline: Pipeline, name: str, absent: str, members: dict[str, Any]
) -> None:
    make(client, pipeline, name, **{**members, "Name": name})
    reason = in_state(client, name, "CREATE_FAILED")["StateReason"]
    assert absent in reason
    assert "does not exist" in reason


@pytest.mark.parametrize("role", ["Target", "Enrichment"])
def test_a_standard_state_machine_cannot_be_waited_for(
    client: Any, aws: AwsClient, pipeline: Pipeline, name: str, role: str
) -> None:
    machine = aws("stepfunctions").create_state_machine(
        name=name,
        roleArn=ROLE,
        definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
    )["stateMachineArn"]
    make(client, pipeline, name, **{role: machine})
    reason = in_state(client, name, "CREATE_FAILED")["StateReason"]
    assert machine in reason
    assert "Standard" in reason


def test_a_failed_pipe_starts_once_its_target_is_there(
    client: Any, aws: AwsClient, pipeline: Pipeline, name: str
) -> None:
    make(client, pipeline, name, Target=f"arn:aws:lambda:us-east-1:000000000000:function:{name}")
    in_state(client, name, "CREATE_FAILED")
    other = Pipeline(aws, name)
    assert other.function_arn.endswith(name)
    client.start_pipe(Name=name)
    in_state(client, name, "RUNNING")


def test_an_update_to_a_missing_target_fails_and_can_be_made_good(
    client: Any, pipeline: Pipeline, name: str
) -> None:
    make(client, pipeline, name)
    in_state(client, name, "RUNNING")
    absent = "arn:aws:lambda:us-east-1:000000000000:function:absent"
    client.update_pipe(Name=name, RoleArn=ROLE, Target=absent)
    failed = in_state(client, name, "UPDATE_FAILED")
    assert absent in failed["StateReason"]
    assert failed["Target"] == pipeline.function_arn
    client.update_pipe(Name=name, RoleArn=ROLE, Target=pipeline.function_arn)
    assert in_state(client, name, "RUNNING")["StateReason"] == UPDATED


def test_a_pipe_goes_on_as_it_was_after_a_failed_update_and_a_crash(
    pipes: PipesProcess, client: Any, aws: AwsClient, name: str
) -> None:
    pipeline = Pipeline(aws, name)
    make(client, pipeline, name)
    in_state(client, name, "RUNNING")
    absent = "arn:aws:lambda:us-east-1:000000000000:function:absent"
    client.update_pipe(Name=name, RoleArn=ROLE, Target=absent)
    in_state(client, name, "UPDATE_FAILED")
    pipeline.put("before")
    assert eventually(pipeline.delivered) == ["before"]
    pipes.kill()
    pipes.start()
    pipeline.put("after")
    assert eventually(lambda: "after" in pipeline.delivered())
    assert absent in in_state(client, name, "UPDATE_FAILED")["StateReason"]


def test_what_breaks_the_model_is_refused_with_every_field_named(
    client: Any, pipeline: Pipeline
) -> None:
    definition = pipeline.definition(BatchSize=10_001, DeadLetterConfig={"Arn": "queue"})
    with pytest.raises(client.exceptions.ValidationException) as raised:
        client.create_pipe(**{**definition, "Name": "not a name", "RoleArn": "nobody"})
    fields = [field["name"] for field in raised.value.response["fieldList"]]
    assert fields == [
        "name",
        "sourceParameters.kinesisStreamParameters.batchSize",
        "sourceParameters.kinesisStreamParameters.deadLetterConfig.arn",
        "roleArn",
    ]
    assert "4 validation errors detected" in raised.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("named", "stream", "members"),
    [
        ("FIFO", {"DeadLetterConfig": {"Arn": arn("sqs", "q.fifo")}}, {}),
        ("cross-region", {}, {"Source": arn("kinesis", "stream/s", "eu-west-1")}),
        ("Firehose", {}, {"Target": arn("firehose", "deliverystream/d")}),
        ("max supported batch size 10 for", {"BatchSize": 11}, {"Target": QUEUE}),
        ("InputTemplate", {}, {"TargetParameters": {"InputTemplate": "<aws.pipes.unknown>"}}),
        ("destination", {}, {"LogConfiguration": {"Level": "INFO"}}),
    ],
)
def test_what_is_not_carried_out_is_refused_at_create(
    client: Any, pipeline: Pipeline, named: str, stream: Any, members: Any, name: str
) -> None:
    definition = {**pipeline.definition(**stream), "Name": name, **members}
    with pytest.raises(client.exceptions.ValidationException, match=named):
        client.create_pipe(**definition)
    assert gone(client, name)


def test_an_invalid_filter_is_refused_at_update_with_the_reason(
    client: Any, pipeline: Pipeline, name: str
) -> None:
    make(client, pipeline, name)
    in_state(client, name, "RUNNING")
    with pytest.raises(client.exceptions.ValidationException, match="filter 2 is not valid") as no:
        client.update_pipe(
            Name=name,
            RoleArn=ROLE,
            SourceParameters={
                "FilterCriteria": {"Filters": [{"Pattern": '{"a": [1]}'}, {"Pattern": "{"}]}
            },
        )
    (field,) = no.value.response["fieldList"]
    assert field["name"] == "sourceParameters.filterCriteria.filters.2.member.pattern"
    assert client.describe_pipe(Name=name)["CurrentState"] == "RUNNING"


def test_the_batch_size_is_checked_against_a_new_target(
    client: Any, pipeline: Pipeline, name: str
) -> None:
    make(client, pipeline, name)
    in_state(client, name, "RUNNING")
    with pytest.raises(client.exceptions.ValidationException, match="batch size 100 is greater"):
        client.update_pipe(Name=name, RoleArn=ROLE, Target=pipeline.queue_arn)
    client.update_pipe(
        Name=name,
        RoleArn=ROLE,
        Target=pipeline.queue_arn,
        SourceParameters={"KinesisStreamParameters": {}},
    )
    after = in_state(client, name, "RUNNING")
    assert after["Target"] == pipeline.queue_arn
    assert after["SourceParameters"] == {
        "KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10}
    }


def test_a_token_that_was_not_given_out_is_refused(client: Any) -> None:
    with pytest.raises(client.exceptions.ValidationException, match="NextToken"):
        client.list_pipes(NextToken="made up")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/v1/pipes/a", b"{", 400, "SerializationException"),
        ("POST", "/v1/pipes/a", b'{"Source": 1}', 400, "SerializationException"),
        ("POST", "/v1/pipes/a", b'{"Sauce": 1}', 400, "ValidationException"),
        ("POST", "/v1/pipes/a%2Fb/start", b"{}", 400, "ValidationException"),
        ("GET", "/v1/pipes/nobody", None, 404, "NotFoundException"),
        ("GET", "/v2/pipes", None, 404, "UnknownOperationException"),
        ("GET", "/v1/pipes?Limit=101", None, 400, "ValidationException"),
    ],
)
def test_an_error_carries_its_code_in_the_header(
    pipes: PipesProcess, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    answered, headers, answer = send(pipes, method, path, body)
    assert (answered, headers["x-amzn-errortype"]) == (status, code)
    assert answer["message"]


def test_boto3_itself_knows_the_operations(client: Any) -> None:
    with pytest.raises(ParamValidationError):
        client.create_pipe(Name="a")


def test_health_says_how_many_pipes_are_in_which_state(
    pipes: PipesProcess, client: Any, pipeline: Pipeline, name: str
) -> None:
    make(client, pipeline, name)
    in_state(client, name, "RUNNING")
    status, _, answer = send(pipes, "GET", "/health")
    assert (status, answer["status"]) == (200, "ok")
    assert answer["pipes"]["RUNNING"] >= 1


def test_errors_that_aws_does_not_model_reach_boto3_too(client: Any) -> None:
    with pytest.raises(ClientError) as raised:
        client.list_pipes(NextToken="x" * 2049)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
