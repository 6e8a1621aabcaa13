"""Section "Input templates" of the semantics: the table in data/templates.toml, through pipes.

Each case has a source of its own with its payload in it, a pipe with its template, and a queue
where the message arrives as it is. Then the free texts once more through a function, where
they are strings of the array that it gets. Everything here runs beside MiniStack.
"""

from __future__ import annotations

import base64
import json
import tomllib
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipes_conformance import Queue, Stream, arn, pipes_of, refused, whole
from pipes_service import ROLE, PipesProcess, in_state, make_function, unique
from servers import AwsClient
from waiting import eventually

TABLE = tomllib.loads((Path(__file__).parent / "data" / "templates.toml").read_text("utf-8"))
SENT = [case for case in TABLE["case"] if "refused" not in case]
TO_QUEUES = [case for case in SENT if case.get("text") != ""]
"""A queue takes no empty message; a function takes an empty string."""
REFUSED = [case for case in TABLE["case"] if "refused" in case]

Case = dict[str, Any]


# The sources


class Source(NamedTuple):
    """`raw` and `decoded` are what is known of the record: with its payload as it came, and with
    it decoded.
    """

    arn: str
    raw: dict[str, Any]
    decoded: dict[str, Any]


def payload_of(case: Case) -> bytes:
    if "payload_base64" in case:
        return base64.b64decode(case["payload_base64"])
    payload: str = case["payload"]
    return payload.encode()


def put_to_stream(aws: AwsClient, name: str, case: Case, times: int = 1) -> Source:
    stream, payload = Stream(aws, name), payload_of(case)
    key = TABLE["partition_key"]
    put, *_ = stream.put_data([(payload, key)] * times)
    known = {"sequenceNumber": put["SequenceNumber"], "partitionKey": key}
    return Source(
        stream.arn,
        {**known, "data": base64.b64encode(payload).decode()},
        {**known, "data": decoded(payload)},
    )


def send_to_queue(aws: AwsClient, name: str, case: Case) -> Source:
    queue, payload = Queue(aws, name), payload_of(case)
    known = {"messageId": queue.send(payload.decode())}
    return Source(
        queue.arn, {**known, "body": payload.decode()}, {**known, "body": decoded(payload)}
    )


def write_to_table(aws: AwsClient, name: str, case: Case) -> Source:
    stream = aws("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]["LatestStreamArn"]
    aws("dynamodb").put_item(TableName=name, Item=json.loads(case["payload"]))
    return Source(stream, {}, {})


def decoded(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None


PUT: dict[str, Callable[[AwsClient, str, Case], Source]] = {
    "kinesis": put_to_stream,
    "sqs": send_to_queue,
    "dynamodb": write_to_table,
    "enrichment": put_to_stream,
}
STARTS = {
    "kinesis": {"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10}},
    "sqs": {},
    "dynamodb": {"DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10}},
}

DECODE = """
import base64, json

def handler(event, context):
    return [json.loads(base64.b64decode(record["data"])) for record in event]
"""


@pytest.fixture(scope="module")
def enrichment(aws: AwsClient) -> str:
    return make_function(aws, unique("test_enrichment"), DECODE)


def definition_of(name: str, case: Case, source: Source, enrichment: str) -> dict[str, Any]:
    """A pipe, but for its target."""
    enriched = case["source"] == "enrichment"
    return {
        "Name": name,
        "Source": source.arn,
        "SourceParameters": STARTS["kinesis" if enriched else case["source"]],
        "TargetParameters": {"InputTemplate": case["template"]},
        **({"Enrichment": enrichment} if enriched else {}),
    }


# What is sent


def check(case: Case, message: str, source: Source, definition: dict[str, Any]) -> None:
    """Whether `message` is what the table says."""
    expected: str = case["json" if "json" in case else "text"]
    for token, value in {
        "{{pipe-name}}": definition["Name"],
        "{{pipe-arn}}": arn("pipes", f"pipe/{definition['Name']}"),
        "{{source-arn}}": definition["Source"],
        "{{target-arn}}": definition["Target"],
    }.items():
        expected = expected.replace(token, value)
    if "text" in case:
        assert message == expected
    else:
        found = json.loads(message)
        assert found == filled(json.loads(expected), found, source)


def filled(expected: Any, found: Any, source: Source) -> Any:
    """`expected` with what `found` may have in the places of the {{names}}: what is known of the
    record and, beside it, members that only the service that sent it knows.
    """
    match expected:
        case "{{event}}":
            return {**found, **source.raw}
        case "{{event.json}}":
            return {**found, **source.decoded}
        case "{{ingestion-time}}":
            moment = datetime.strptime(found, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
            assert 0 <= (datetime.now(UTC) - moment).total_seconds() < 60
            return found
        case dict():
            return {key: filled(value, found.get(key), source) for key, value in expected.items()}
    return expected


@pytest.mark.parametrize("case", TO_QUEUES, ids=[case["name"] for case in TO_QUEUES])
def test_a_message_is_what_its_template_makes_of_the_record(
    aws: AwsClient, pipes: PipesProcess, enrichment: str, case: Case, name: str
) -> None:
    source = PUT[case["source"]](aws, name, case)
    queue = Queue(aws, f"{name}-to")
    definition = definition_of(name, case, source, enrichment) | {"Target": queue.arn}
    with pipes_of(pipes, [definition]):
        (message,) = queue.bodies(1)
    check(case, message, source, definition)


TO_SINK = """
import json, os
import boto3

kinesis = boto3.client("kinesis")

def handler(event, context):
    kinesis.put_record(
        StreamName=os.environ["SINK"], PartitionKey="k", Data=json.dumps(event).encode()
    )
"""


@pytest.fixture(scope="module")
def to_sink(aws: AwsClient) -> tuple[str, Stream]:
    """A function that writes down what it gets, and where."""
    sink = Stream(aws, unique("test_sink"))
    return make_function(aws, sink.name, TO_SINK, SINK=sink.name), sink


FREE_TEXT = [case for case in SENT if "text" in case and case["source"] == "kinesis"]


@pytest.mark.parametrize("case", FREE_TEXT, ids=[case["name"] for case in FREE_TEXT])
def test_a_function_gets_free_text_as_strings_of_its_array(
    aws: AwsClient, pipes: PipesProcess, to_sink: tuple[str, Stream], case: Case, name: str
) -> None:
    function, sink = to_sink
    source, before = put_to_stream(aws, name, case, times=2), len(sink.records())
    with pipes_of(pipes, [definition_of(name, case, source, "") | {"Target": function}]):
        (array,) = eventually(lambda: sink.jsons("k")[before:])
    text = case["text"].replace("{{pipe-name}}", name)
    assert array == [text, text]


def test_a_function_gets_json_as_items_of_its_array(
    aws: AwsClient, pipes: PipesProcess, to_sink: tuple[str, Stream], name: str
) -> None:
    source, (function, sink) = Stream(aws, name), to_sink
    before = len(sink.records())
    source.put_json({"a": 1}, {"a": "b"}, {})
    parameters = {"InputTemplate": '{"a": <$.data.a>}'}
    definition = {"Name": name, "Source": source.arn, "Target": function}
    with pipes_of(pipes, [{**definition, "TargetParameters": parameters}]):
        (array,) = eventually(lambda: sink.jsons("k")[before:])
    assert array == [{"a": 1}, {"a": "b"}, {"a": ""}]


# What AWS may deliver in another way: delivered, with a warning


def told(pipes: PipesProcess, pipe: str) -> list[str]:
    """The lines of the log that warn about the templates of a pipe."""
    lines = pipes.log.read_text("utf-8").splitlines()
    return [line for line in lines if f" {pipe}: InputTemplate of the " in line]


def shown(pipes: PipesProcess, pipe: str) -> set[str]:
    """The warnings about a pipe in /metrics."""
    with urllib.request.urlopen(f"{pipes.url}/metrics") as answer:  # noqa: S310
        families = text_string_to_metric_families(answer.read().decode())
    return {
        sample.labels["warning"]
        for family in families
        for sample in family.samples
        if sample.name == "eventbridge_pipes_warnings"
        and sample.labels["pipe"] == pipe
        and sample.value
    }


WARNED = [
    ('{"a": <$.body.none>}', '{"a": ""}', "path_to_nothing", "<$.body.none>"),
    ('{"a": <$.body.say>}', r'{"a": "\"x\" y"}', "escaped_value", "<$.body.say>"),
    ('{"a": <$.body[?(@.a)]>}', '{"a": ""}', "unreadable_path", "<$.body[?(@.a)]>"),
    (
        r'{"a": "\u003c$.body.say\u003e"}',
        r'{"a": "\u003c$.body.say\u003e"}',
        "escaped_placeholder",
        r"\u003c$.body.say",
    ),
]


@pytest.mark.parametrize(
    ("template", "expected", "warning", "placeholder"), WARNED, ids=[each[2] for each in WARNED]
)
def test_what_aws_may_not_deliver_is_delivered_with_one_warning(
    aws: AwsClient,
    pipes: PipesProcess,
    name: str,
    template: str,
    expected: str,
    warning: str,
    placeholder: str,
) -> None:
    source, queue = Queue(aws, name), Queue(aws, f"{name}-to")
    definition = {"Name": name, "Source": source.arn, "Target": queue.arn}
    with pipes_of(pipes, [{**definition, "TargetParameters": {"InputTemplate": template}}]):
        for _ in range(3):
            source.send(json.dumps({"say": '"x" y'}))
            assert queue.bodies(1) == [expected]
        assert shown(pipes, name) == {warning}
        (line,) = told(pipes, name)
    assert f"InputTemplate of the target, {placeholder}: " in line
    assert '"x"' not in line
    eventually(lambda: not shown(pipes, name))


def test_json_that_is_all_of_a_template_is_delivered_to_a_function_with_one_warning(
    aws: AwsClient, pipes: PipesProcess, to_sink: tuple[str, Stream], name: str
) -> None:
    source, (function, sink) = Stream(aws, name), to_sink
    before = len(sink.records())
    source.put_json(*[{"key": "value"}] * 3)
    definition = {
        "Name": name,
        "Source": source.arn,
        "SourceParameters": {"KinesisStreamParameters": {"BatchSize": 1}},
        "Target": function,
        "TargetParameters": {"InputTemplate": "<$.data>"},
    }
    with pipes_of(pipes, [definition]):
        eventually(lambda: sink.jsons("k")[before:] == [["{key: value}"]] * 3)
        assert shown(pipes, name) == {"unquoted_json"}
        (line,) = told(pipes, name)
    assert "InputTemplate of the target, <$.data>: " in line


# What is refused


@pytest.mark.parametrize("case", REFUSED, ids=[case["name"] for case in REFUSED])
@pytest.mark.parametrize("stage", ["target", "enrichment"])
def test_a_template_is_refused_when_a_pipe_is_made(
    pipes: PipesProcess, case: Case, stage: str
) -> None:
    function = arn("lambda", "function:nothing")
    definition = {
        "Name": "refused",
        "Source": arn("kinesis", "stream/nothing"),
        "Target": function,
        "Enrichment": function,
        f"{stage.capitalize()}Parameters": {"InputTemplate": case["template"]},
    }
    ((field, said),) = refused(pipes, whole(definition))
    assert field == f"{stage}Parameters.inputTemplate"
    assert case["refused"] in said


def test_a_template_is_refused_when_a_pipe_is_updated(
    aws: AwsClient, pipes: PipesProcess, name: str
) -> None:
    source, client = Stream(aws, name), pipes.client()
    definition = {"Name": name, "Source": source.arn, **source.signed("k")}
    client.create_pipe(**whole(definition), DesiredState="STOPPED")
    in_state(client, name, "STOPPED")
    before = client.describe_pipe(Name=name)["TargetParameters"]
    for case in REFUSED:
        parameters = {**before, "InputTemplate": case["template"]}
        update = {"Name": name, "RoleArn": ROLE, "TargetParameters": parameters}
        ((_, said),) = refused(pipes, update, "update_pipe")
        assert case["refused"] in said
    assert client.describe_pipe(Name=name)["TargetParameters"] == before


@pytest.mark.parametrize(("length", "accepted"), [(8192, True), (8193, False)])
def test_a_template_may_have_8192_characters(
    aws: AwsClient, pipes: PipesProcess, name: str, length: int, accepted: bool
) -> None:
    source = Stream(aws, name)
    definition = {"Name": name, "Source": source.arn, **source.signed("k")}
    definition["TargetParameters"]["InputTemplate"] = "æ" * length
    request = {**whole(definition), "DesiredState": "STOPPED"}
    if accepted:
        pipes.client().create_pipe(**request)
        described = in_state(pipes.client(), name, "STOPPED")
        assert described["TargetParameters"] == definition["TargetParameters"]
    else:
        ((_, said),) = refused(pipes, request)
        assert "length less than or equal to 8192" in said
