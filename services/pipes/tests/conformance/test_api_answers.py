"""Section "API" of the semantics: every answer of every operation has the shape of the model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import pytest

from pipes_service import ROLE, Pipeline, PipesProcess, in_state, pipes_process, unique
from pipes_shapes import MODEL, misfits
from servers import AwsClient


@pytest.fixture(scope="module")
def pipes(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    with pipes_process(emulator, tmp_path_factory.mktemp("pipes") / "state") as process:
        yield process


@pytest.fixture(scope="module")
def pipeline(aws: AwsClient) -> Pipeline:
    made = Pipeline(aws, unique("test_answers"))
    aws("logs").create_log_group(logGroupName=made.name)
    return made


def everything(pipeline: Pipeline) -> dict[str, Any]:
    """A request that uses each member of CreatePipe that is carried out."""
    log_group = pipeline.queue_arn.replace(":sqs:", ":logs:").replace(
        pipeline.name, f"log-group:{pipeline.name}"
    )
    definition = pipeline.definition(
        BatchSize=10,
        MaximumBatchingWindowInSeconds=1,
        MaximumRecordAgeInSeconds=60,
        MaximumRetryAttempts=3,
        OnPartialBatchItemFailure="AUTOMATIC_BISECT",
        ParallelizationFactor=2,
        DeadLetterConfig={"Arn": pipeline.queue_arn},
    )
    criteria = {"Filters": [{"Pattern": '{"data": {"kind": ["order"]}}'}]}
    return definition | {
        "Description": "Everything",
        "SourceParameters": definition["SourceParameters"] | {"FilterCriteria": criteria},
        "Enrichment": pipeline.function_arn,
        "EnrichmentParameters": {"InputTemplate": '{"order": <$.data.order>}'},
        "Target": pipeline.queue_arn,
        "TargetParameters": {
            "InputTemplate": "<$.order>",
            "SqsQueueParameters": {"MessageGroupId": "$.data.customer"},
        },
        "Tags": {"team": "stock"},
        "LogConfiguration": {
            "Level": "TRACE",
            "IncludeExecutionData": ["ALL"],
            "CloudwatchLogsLogDestination": {"LogGroupArn": log_group},
        },
    }


def send(
    pipes: PipesProcess, method: str, path: str, body: Any = None
) -> tuple[int, str | None, Any]:
    """Status, code of the error, and the body as it is on the wire."""
    connection = HTTPConnection("127.0.0.1", pipes.port, timeout=10)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.getheader("x-amzn-errortype"), json.load(response)
    finally:
        connection.close()


def test_every_answer_has_the_shape_of_the_model(pipes: PipesProcess, pipeline: Pipeline) -> None:
    name = unique("test_every_answer")
    definition = {**everything(pipeline), "Name": name}
    answers: list[tuple[str, Any]] = []

    def ask(operation: str, path: str, body: Any = None) -> Any:
        method = MODEL.operation_model(operation).http["method"]
        status, _, answer = send(pipes, method, path, body)
        assert status == 200, answer
        answers.append((operation, answer))
        return answer

    path = f"/v1/pipes/{name}"
    arn = ask("CreatePipe", path, {k: v for k, v in definition.items() if k != "Name"})["Arn"]
    ask("DescribePipe", path)
    in_state(pipes.client(), name, "RUNNING")
    described = ask("DescribePipe", path)
    for member, given in definition.items():
        assert described[member] == given
    ask("ListPipes", f"/v1/pipes?NamePrefix={name}&Limit=1")
    tags = f"/tags/{quote(arn, safe='')}"
    ask("TagResource", tags, {"tags": {"a": "b"}})
    ask("ListTagsForResource", tags)
    ask("UntagResource", f"{tags}?tagKeys=a&tagKeys=team")
    ask("StopPipe", f"{path}/stop", {})
    in_state(pipes.client(), name, "STOPPED")
    ask("DescribePipe", path)
    ask("StartPipe", f"{path}/start", {})
    in_state(pipes.client(), name, "RUNNING")
    ask("UpdatePipe", path, {"RoleArn": ROLE, "Enrichment": "", "Description": ""})
    in_state(pipes.client(), name, "RUNNING")
    ask("DescribePipe", path)
    ask("DeletePipe", path)

    assert {operation for operation, _ in answers} == set(MODEL.operation_names)
    for operation, answer in answers:
        shape = MODEL.operation_model(operation).output_shape
        assert list(misfits(shape, answer, operation)) == []


def test_the_reason_of_a_failed_pipe_has_the_shape_of_the_model(
    pipes: PipesProcess, pipeline: Pipeline
) -> None:
    name = unique("test_the_reason")
    absent = pipeline.queue_arn + "-absent"
    pipes.client().create_pipe(**{**everything(pipeline), "Name": name, "Target": absent})
    assert absent in in_state(pipes.client(), name, "CREATE_FAILED")["StateReason"]
    _, _, answer = send(pipes, "GET", f"/v1/pipes/{name}")
    shape = MODEL.operation_model("DescribePipe").output_shape
    assert list(misfits(shape, answer)) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/pipes/nobody", None, 404, "NotFoundException"),
        ("POST", "/v1/pipes/taken", {}, 409, "ConflictException"),
        ("POST", "/v1/pipes/another", {"Target": "nowhere"}, 400, "ValidationException"),
        ("POST", "/v1/pipes/another", {"Target": "arn:aws:s3:::b"}, 400, "ValidationException"),
        ("POST", "/v1/pipes/another", {"Sauce": 1}, 400, "ValidationException"),
        ("GET", "/v1/pipes?NextToken=made-up", None, 400, "ValidationException"),
    ],
)
def test_every_error_has_the_shape_of_the_model(
    pipes: PipesProcess,
    pipeline: Pipeline,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    status: int,
    code: str,
) -> None:
    whole = {k: v for k, v in everything(pipeline).items() if k != "Name"}
    send(pipes, "POST", "/v1/pipes/taken", {**whole, "DesiredState": "STOPPED"})
    sent = None if body is None else whole | body
    answered, answered_code, answer = send(pipes, method, path, sent)
    assert (answered, answered_code) == (status, code)
    shape = MODEL.shape_for(code)
    assert shape.metadata["error"]["httpStatusCode"] == status
    assert list(misfits(shape, answer)) == []


def test_a_misfit_is_found() -> None:
    """What the tests above rely on."""
    shape = MODEL.operation_model("DescribePipe").output_shape
    assert list(misfits(shape, {"Name": "p", "CreationTime": 1.5, "Tags": {}})) == []
    for wrong in [
        {"Sauce": "s"},
        {"Name": "a b"},
        {"StateReason": "r" * 513},
        {"Name": 1},
        {"CurrentState": "DREAMING"},
        {"CreationTime": "today"},
        {"SourceParameters": {"KinesisStreamParameters": {}}},
        {"SourceParameters": {"FilterCriteria": {"Filters": [{"Sauce": "s"}]}}},
        {"Tags": {"a": 1}},
    ]:
        assert len(list(misfits(shape, wrong))) == 1, wrong
