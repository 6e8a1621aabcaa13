"""Each target at a pipe's end: its parameters, its batches, what it refuses, and who is refused.

The pipes read orders from a Kinesis stream, all of them in one batch. Beside MiniStack, but for
the times of events on a bus, which moto keeps.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from moto_process import Moto
from pipes_conformance import (
    Queue,
    Stream,
    arn,
    handled,
    make_machine,
    pipes_of,
    refused,
    whole,
)
from pipes_functions import Event, Functions
from pipes_service import ROLE, PipesProcess, in_state, pipes_process
from pipes_shapes import MODEL, sample
from servers import AwsClient
from waiting import eventually

ORDERS = [
    {"id": "o-0", "customer": "ada", "at": 1_700_000_000_000},
    {"id": "o-1", "customer": "bob", "at": 1_700_000_001_000},
    {"id": "o-2", "customer": "ada", "at": 1_700_000_002_000},
]

Members = dict[str, Any]


@pytest.fixture
def source(aws: AwsClient, name: str) -> Stream:
    return Stream(aws, name)


def deliver(
    pipes: PipesProcess,
    source: Stream,
    target: str,
    parameters: Members,
    **stream: Any,
) -> dict[str, float]:
    """What the pipe counts once it is done with all the orders."""
    definition = {
        "Name": source.name,
        "Source": source.arn,
        "SourceParameters": {"KinesisStreamParameters": stream},
        "Target": target,
        "TargetParameters": parameters,
        "RoleArn": ROLE,
    }
    with pipes_of(pipes, [definition]):
        return handled(pipes, {source.name: len(source.records())})[source.name]


def order_of(record: Members) -> Members:
    """The order in a record as a pipe hands it over."""
    order: Members = json.loads(base64.b64decode(record["data"]))
    return order


def ids(records: Event) -> list[str]:
    return [order_of(record)["id"] for record in records]


# Lambda


@pytest.mark.parametrize("parameters", [{}, {"InvocationType": "REQUEST_RESPONSE"}], ids=str)
def test_a_function_is_waited_for_and_tells_what_failed(
    pipes: PipesProcess, functions: Functions, source: Stream, parameters: Members
) -> None:
    source.put_json(*ORDERS)
    failed = {"batchItemFailures": [{"itemIdentifier": ""}]}
    answers = iter([failed, None])
    with functions.of(source.name, lambda event: next(answers)) as function:
        lambda_parameters = {"LambdaFunctionParameters": parameters}
        counted = deliver(pipes, source, function.arn, lambda_parameters)
    assert [ids(event) for event in function.invocations] == [["o-0", "o-1", "o-2"]] * 2
    assert (counted["failed"], counted["delivered"]) == (3, 3)


def test_a_function_that_is_only_started_is_not_asked_how_it_ended(
    pipes: PipesProcess, functions: Functions, source: Stream
) -> None:
    source.put_json(*ORDERS)
    failed = {"batchItemFailures": [{"itemIdentifier": ""}]}
    parameters = {"LambdaFunctionParameters": {"InvocationType": "FIRE_AND_FORGET"}}
    with functions.of(source.name, lambda event: failed) as function:
        counted = deliver(pipes, source, function.arn, parameters)
        assert [ids(event) for event in function.invoked(1)] == [["o-0", "o-1", "o-2"]]
    assert (counted["failed"], counted["delivered"]) == (0, 3)


# SQS and SNS


def test_a_queue_gets_a_message_for_each_record(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str
) -> None:
    numbers, queue = source.put_json(*ORDERS), Queue(aws, f"{name}-to")
    deliver(pipes, source, queue.arn, {})
    records = [json.loads(body) for body in queue.bodies(3)]
    assert sorted(ids(records)) == ["o-0", "o-1", "o-2"]
    assert sorted(record["sequenceNumber"] for record in records) == sorted(numbers)


@pytest.mark.parametrize(
    ("parameters", "groups", "deduplications"),
    [
        (
            {"MessageGroupId": "$.data.customer", "MessageDeduplicationId": "$.data.id"},
            ["ada", "bob", "ada"],
            ["o-0", "o-1", "o-2"],
        ),
        (
            {"MessageGroupId": "one", "MessageDeduplicationId": "$.data.at"},
            ["one", "one", "one"],
            ["1700000000000", "1700000001000", "1700000002000"],
        ),
    ],
    ids=["paths", "a text and a path to a number"],
)
def test_a_fifo_queue_gets_groups_and_deduplication_ids(
    aws: AwsClient,
    pipes: PipesProcess,
    source: Stream,
    name: str,
    parameters: Members,
    groups: list[str],
    deduplications: list[str],
) -> None:
    queue = Queue(aws, f"{name}.fifo")
    source.put_json(*ORDERS)
    deliver(pipes, source, queue.arn, {"SqsQueueParameters": parameters})
    found = {
        order_of(json.loads(message["Body"]))["id"]: message["Attributes"]
        for message in queue.received(3)
    }
    of_orders = [found[order["id"]] for order in ORDERS]
    assert [of["MessageGroupId"] for of in of_orders] == groups
    assert [of["MessageDeduplicationId"] for of in of_orders] == deduplications


def test_a_fifo_queue_takes_one_message_of_one_deduplication_id(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str
) -> None:
    queue = Queue(aws, f"{name}.fifo")
    source.put_json(*ORDERS)
    parameters = {"MessageGroupId": "$.data.customer", "MessageDeduplicationId": "once"}
    counted = deliver(pipes, source, queue.arn, {"SqsQueueParameters": parameters})
    assert counted["delivered"] == 3
    assert [order_of(json.loads(body))["id"] for body in queue.bodies(1)] == ["o-0"]
    assert queue.left() == 0


def topic_to(aws: AwsClient, queue: Queue) -> str:
    """The ARN of a topic whose messages go to the queue."""
    topic: str = aws("sns").create_topic(Name=queue.name)["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=raw)
    return topic


def test_a_topic_gets_a_message_for_each_record(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str
) -> None:
    source.put_json(*ORDERS)
    queue = Queue(aws, f"{name}-to")
    deliver(pipes, source, topic_to(aws, queue), {"InputTemplate": "order <$.data.id>"})
    assert sorted(queue.bodies(3)) == ["order o-0", "order o-1", "order o-2"]


# Kinesis


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("all", ["all", "all", "all"]),
        ("$.partitionKey", ["k", "k", "k"]),
        ("$.data.customer", ["ada", "bob", "ada"]),
        ("$.data.at", ["1700000000000", "1700000001000", "1700000002000"]),
    ],
)
def test_a_stream_gets_partition_keys_from_the_records_before_they_are_transformed(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str, key: str, keys: list[str]
) -> None:
    source.put_json(*ORDERS)
    sink = Stream(aws, f"{name}-sink")
    parameters = {
        "KinesisStreamParameters": {"PartitionKey": key},
        "InputTemplate": "<$.data.id>",
    }
    deliver(pipes, source, sink.arn, parameters)
    put = [(record["PartitionKey"], record["Data"].decode()) for record in sink.records()]
    assert put == list(zip(keys, ["o-0", "o-1", "o-2"], strict=True))


# EventBridge


def bus_to(aws: AwsClient, queue: Queue) -> str:
    """The ARN of a bus all of whose events go to the queue."""
    events, name = aws("events"), queue.name
    bus: str = events.create_event_bus(Name=name)["EventBusArn"]
    everything = json.dumps({"account": [{"exists": True}]})
    events.put_rule(Name=name, EventBusName=name, EventPattern=everything)
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "q", "Arn": queue.arn}])
    return bus


def on_the_bus(queue: Queue, count: int) -> list[Members]:
    """The events in the order of the orders."""
    events = [json.loads(body) for body in queue.bodies(count)]
    return sorted(events, key=lambda event: json.dumps(event["detail"]))


def test_a_bus_gets_events_of_the_pipe_when_nothing_else_is_said(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str
) -> None:
    source.put_json(ORDERS[0])
    queue = Queue(aws, f"{name}-to")
    deliver(pipes, source, bus_to(aws, queue), {})
    (event,) = on_the_bus(queue, 1)
    assert (event["source"], event["detail-type"]) == (f"Pipe {name}", "Event from aws:kinesis")
    assert event["resources"] == []
    assert order_of(event["detail"]) == ORDERS[0]


def test_a_bus_gets_events_as_the_parameters_say(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str
) -> None:
    source.put_json(*ORDERS)
    queue = Queue(aws, f"{name}-to")
    bus_parameters = {
        "Source": "shop",
        "DetailType": "$.data.customer",
        "Resources": ["$.eventSourceARN", "arn:aws:s3:::orders"],
    }
    parameters = {
        "EventBridgeEventBusParameters": bus_parameters,
        "InputTemplate": '{"id": <$.data.id>}',
    }
    deliver(pipes, source, bus_to(aws, queue), parameters)
    events = on_the_bus(queue, 3)
    assert [event["detail"] for event in events] == [{"id": order["id"]} for order in ORDERS]
    assert [event["detail-type"] for event in events] == ["ada", "bob", "ada"]
    assert all(event["source"] == "shop" for event in events)
    assert all(event["resources"] == [source.arn, "arn:aws:s3:::orders"] for event in events)


def test_a_bus_gets_events_at_their_times(
    aws: AwsClient, emulator: str, moto: Moto, source: Stream, name: str, tmp_path: Path
) -> None:
    """With the bus, and a queue for its events, in moto: those of MiniStack all happen now."""
    times = ["2024-02-03T04:05:06Z", "2024-02-03T04:05:07+02:00"]
    source.put_json(*({"id": str(number), "at": at} for number, at in enumerate(times)))
    queue = Queue(moto.aws, f"{name}-to")
    bus = bus_to(moto.aws, queue)
    parameters = {"EventBridgeEventBusParameters": {"Time": "$.data.at"}}
    environment = {"AWS_ENDPOINT_URL_EVENTBRIDGE": moto.url}
    with pipes_process(emulator, tmp_path / "state", environment) as pipes:
        deliver(pipes, source, bus, parameters)
    found = {order_of(event["detail"])["id"]: event["time"] for event in on_the_bus(queue, 2)}
    assert found == {"0": "2024-02-03T04:05:06Z", "1": "2024-02-03T02:05:07Z"}


# Step Functions

FAIL = {"Type": "Fail", "Error": "No", "Cause": "none"}
WAITED_FOR = {"StepFunctionStateMachineParameters": {"InvocationType": "REQUEST_RESPONSE"}}
STARTED = {"StepFunctionStateMachineParameters": {"InvocationType": "FIRE_AND_FORGET"}}


@pytest.mark.parametrize(
    ("state", "status"), [({"Type": "Pass", "End": True}, "SUCCEEDED"), (FAIL, "FAILED")], ids=str
)
def test_a_standard_state_machine_is_started_with_the_batch_however_it_ends(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str, state: Members, status: str
) -> None:
    source.put_json(*ORDERS)
    machine = make_machine(aws, name, "STANDARD", **state)
    counted = deliver(pipes, source, machine, STARTED)
    assert (counted["delivered"], counted["failed"]) == (3, 0)
    stepfunctions = aws("stepfunctions")

    def ended() -> str:
        found = stepfunctions.list_executions(stateMachineArn=machine)["executions"]
        assert [execution["status"] for execution in found] == [status]
        execution: str = found[0]["executionArn"]
        return execution

    given = stepfunctions.describe_execution(executionArn=eventually(ended))["input"]
    assert ids(json.loads(given)) == ["o-0", "o-1", "o-2"]


@pytest.mark.parametrize("parameters", [{}, WAITED_FOR], ids=str)
def test_an_express_state_machine_that_fails_is_invoked_again(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str, parameters: Members
) -> None:
    source.put_json(*ORDERS)
    machine = make_machine(aws, name, **FAIL)
    counted = deliver(pipes, source, machine, parameters, MaximumRetryAttempts=1)
    assert (counted["failed"], counted["dropped"]) == (6, 3)


def test_an_express_state_machine_tells_what_failed(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str
) -> None:
    source.put_json(*ORDERS)
    failures = {"batchItemFailures": [{"itemIdentifier.$": "$[1].eventID"}]}
    machine = make_machine(aws, name, Type="Pass", Parameters=failures, End=True)
    counted = deliver(pipes, source, machine, WAITED_FOR, MaximumRetryAttempts=0)
    assert (counted["delivered"], counted["dropped"]) == (2, 1)


# CloudWatch Logs


def log_group(aws: AwsClient, name: str) -> str:
    aws("logs").create_log_group(logGroupName=f"/{name}")
    return arn("logs", f"log-group:/{name}")


def logged(aws: AwsClient, name: str, stream: str) -> list[Members]:
    found = aws("logs").get_log_events(
        logGroupName=f"/{name}", logStreamName=stream, startFromHead=True
    )
    events: list[Members] = found["events"]
    return events


def test_a_log_group_gets_its_events_at_their_times(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str
) -> None:
    source.put_json(*reversed(ORDERS))
    log_parameters = {"LogStreamName": "orders", "Timestamp": "$.data.at"}
    parameters = {"CloudWatchLogsParameters": log_parameters, "InputTemplate": "<$.data.id>"}
    deliver(pipes, source, log_group(aws, name), parameters)
    assert [(e["message"], e["timestamp"]) for e in logged(aws, name, "orders")] == [
        (order["id"], order["at"]) for order in ORDERS
    ]


def test_a_log_group_gets_the_records_in_a_log_stream_named_like_the_pipe(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str
) -> None:
    source.put_json(*ORDERS)
    deliver(pipes, source, log_group(aws, name), {})
    events = logged(aws, name, name)
    assert ids([json.loads(event["message"]) for event in events]) == ["o-0", "o-1", "o-2"]


# Partial failures

LARGE = "x" * 900_000
"""In base64 it is more than any of these targets takes at once."""

BAD = ORDERS[1] | {"filling": LARGE}


def to_queue(aws: AwsClient, name: str) -> tuple[str, Members, Callable[[], list[str]]]:
    """The target, its parameters, and what gives the orders that have arrived."""
    queue = Queue(aws, f"{name}-to")
    return queue.arn, {}, lambda: ids([json.loads(body) for body in queue.bodies(2)])


def to_topic(aws: AwsClient, name: str) -> tuple[str, Members, Callable[[], list[str]]]:
    queue = Queue(aws, f"{name}-to")
    topic = topic_to(aws, queue)
    return topic, {}, lambda: ids([json.loads(body) for body in queue.bodies(2)])


def to_bus(aws: AwsClient, name: str) -> tuple[str, Members, Callable[[], list[str]]]:
    queue = Queue(aws, f"{name}-to")
    bus = bus_to(aws, queue)
    return bus, {}, lambda: ids([event["detail"] for event in on_the_bus(queue, 2)])


def to_log_group(aws: AwsClient, name: str) -> tuple[str, Members, Callable[[], list[str]]]:
    group = log_group(aws, name)
    return group, {}, lambda: ids([json.loads(e["message"]) for e in logged(aws, name, name)])


def to_fifo_queue(aws: AwsClient, name: str) -> tuple[str, Members, Callable[[], list[str]]]:
    queue = Queue(aws, f"{name}.fifo")
    parameters = {"MessageGroupId": "$.data.customer", "MessageDeduplicationId": "$.data.id"}
    return (
        queue.arn,
        {"SqsQueueParameters": parameters},
        lambda: ids([json.loads(body) for body in queue.bodies(2)]),
    )


def to_stream(aws: AwsClient, name: str) -> tuple[str, Members, Callable[[], list[str]]]:
    sink = Stream(aws, f"{name}-sink")
    parameters = {"KinesisStreamParameters": {"PartitionKey": "$.data.customer"}}
    found = lambda: ids([json.loads(record["Data"]) for record in sink.records()])  # noqa: E731
    return sink.arn, parameters, found


NOBODY = {"id": "o-1"}
"""An order in which there is nothing at the path of the parameter."""


@pytest.mark.parametrize(
    ("make_target", "bad"),
    [
        (to_queue, BAD),
        (to_topic, BAD),
        (to_bus, BAD),
        (to_log_group, BAD),
        (to_fifo_queue, NOBODY),
        (to_stream, NOBODY),
    ],
    ids=["queue", "topic", "bus", "log group", "FIFO queue", "stream"],
)
def test_what_the_target_does_not_take_is_sent_again_alone(
    aws: AwsClient,
    pipes: PipesProcess,
    source: Stream,
    name: str,
    make_target: Callable[[AwsClient, str], tuple[str, Members, Callable[[], list[str]]]],
    bad: Members,
) -> None:
    """Its neighbours arrive, once."""
    numbers = source.put_json(ORDERS[0], bad, ORDERS[2])
    target, parameters, arrived = make_target(aws, name)
    letters = Queue(aws, f"{name}-letters")
    policy: Members = {"MaximumRetryAttempts": 2, "DeadLetterConfig": {"Arn": letters.arn}}
    counted = deliver(pipes, source, target, parameters, **policy)
    assert (counted["failed"], counted["delivered"], counted["dead_lettered"]) == (3, 2, 1)
    assert sorted(arrived()) == ["o-0", "o-2"]
    info = json.loads(letters.bodies(1)[0])["KinesisBatchInfo"]
    assert info["batchSize"] == 1
    assert info["startSequenceNumber"] == info["endSequenceNumber"] == numbers[1]


def test_a_message_that_the_queue_itself_refuses_is_sent_again_alone(
    aws: AwsClient, pipes: PipesProcess, source: Stream, name: str
) -> None:
    source.put_json({"text": "a"}, {"text": "\0"}, {"text": "b"})
    queue = Queue(aws, f"{name}-to")
    parameters = {"InputTemplate": "<$.data.text>"}
    counted = deliver(pipes, source, queue.arn, parameters, MaximumRetryAttempts=2)
    assert (counted["failed"], counted["delivered"], counted["dropped"]) == (3, 2, 1)
    assert sorted(queue.bodies(2)) == ["a", "b"]
    assert queue.left() == 0


# What is refused

SOURCE = arn("kinesis", "stream/nothing")
FUNCTION = arn("lambda", "function:nothing")
LIMITS: Mapping[str, tuple[int, Members]] = {
    arn("sqs", "nothing"): (10, {}),
    arn("sns", "nothing"): (10, {}),
    arn("events", "event-bus/nothing"): (10, {}),
    arn("kinesis", "stream/nothing"): (500, {"KinesisStreamParameters": {"PartitionKey": "k"}}),
    arn("logs", "log-group:nothing"): (10_000, {}),
}


@pytest.mark.parametrize(("target", "limit"), LIMITS.items(), ids=[t.split(":")[2] for t in LIMITS])
def test_a_batch_is_within_the_limit_of_the_target(
    pipes: PipesProcess, name: str, target: str, limit: tuple[int, Members]
) -> None:
    most, parameters = limit

    def definition(size: int) -> Members:
        batches = {"KinesisStreamParameters": {"BatchSize": size}}
        given = {"Name": name, "Source": SOURCE, "SourceParameters": batches, "Target": target}
        return whole({**given, "TargetParameters": parameters})

    if most < 10_000:  # which the model itself has as the most
        ((field, said),) = refused(pipes, definition(most + 1))
        assert field == "sourceParameters.kinesisStreamParameters.batchSize"
        expected = (
            f"The configured batch size {most + 1} is greater than the max supported batch size "
            f"{most} for "
        )
        assert said.startswith(expected)
    pipes.client().create_pipe(**definition(most))
    in_state(pipes.client(), name, "CREATE_FAILED")
    pipes.client().delete_pipe(Name=name)


OTHER_TARGETS = {
    "ECS cluster": arn("ecs", "cluster/c"),
    "Batch job queue": arn("batch", "job-queue/q"),
    "Firehose stream": arn("firehose", "deliverystream/d"),
    "Redshift cluster": arn("redshift", "cluster:c"),
    "Redshift workgroup": arn("redshift-serverless", "workgroup/w"),
    "SageMaker pipeline": arn("sagemaker", "pipeline/p"),
    "Timestream table": arn("timestream", "database/d/table/t"),
    "API destination": arn("events", "api-destination/d/1"),
    "API Gateway API": arn("execute-api", "a/stage/GET/orders"),
    "Inspector assessment template": arn("inspector", "target/t/template/t"),
}
OTHER_SOURCES = {
    "Amazon MQ broker": arn("mq", "broker:b:b-1"),
    "MSK cluster": arn("kafka", "cluster/c/1"),
    "self-managed Kafka cluster": "smk://kafka.example:9092",
    "Kinesis stream consumer": arn("kinesis", "stream/s/consumer/c:1"),
    "DynamoDB table": arn("dynamodb", "table/t"),
}
OTHER_ENRICHMENTS = {
    "API destination": arn("events", "api-destination/d/1"),
    "API Gateway API": arn("execute-api", "a/stage/GET/orders"),
}


@pytest.mark.parametrize(
    ("role", "what", "other"),
    [
        *[("Target", *each) for each in OTHER_TARGETS.items()],
        *[("Source", *each) for each in OTHER_SOURCES.items()],
        *[("Enrichment", *each) for each in OTHER_ENRICHMENTS.items()],
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(
    pipes: PipesProcess, name: str, role: str, what: str, other: str
) -> None:
    given = whole({"Name": name, "Source": SOURCE, "Target": FUNCTION})
    told = refused(pipes, {**given, role: other})
    said = dict(told)[role.lower()]
    assert said.startswith(f"The {what} {other} as {role.lower()} is not supported")


def others(shape: str, *carried_out: str) -> list[str]:
    """The members of a shape of the model that are not carried out."""
    members: Any = MODEL.shape_for(shape)
    return [name for name in members.members if name not in carried_out]


@pytest.mark.parametrize(
    ("shape", "field", "member"),
    [
        *[
            ("PipeTargetParameters", "TargetParameters", name)
            for name in others("PipeTargetParameters", "InputTemplate", "LambdaFunctionParameters")
        ],
        *[
            ("PipeSourceParameters", "SourceParameters", name)
            for name in others("PipeSourceParameters", "FilterCriteria", "KinesisStreamParameters")
        ],
        ("PipeEnrichmentParameters", "EnrichmentParameters", "HttpParameters"),
    ],
)
def test_parameters_of_another_kind_are_refused_by_name(
    pipes: PipesProcess, name: str, shape: str, field: str, member: str
) -> None:
    structure: Any = MODEL.shape_for(shape)
    given = whole({"Name": name, "Source": SOURCE, "Target": FUNCTION})
    value = sample(structure.members[member])
    if member == "HttpParameters" and field == "EnrichmentParameters":
        value = {"HeaderParameters": {"name": "value"}}  # empty they are none
    given[field] = {**given.get(field, {}), member: value}
    ((where, said),) = refused(pipes, given)
    assert where == f"{_lower(field)}.{_lower(member)}"
    assert member in said


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def test_what_a_target_needs_is_asked_for(pipes: PipesProcess, name: str) -> None:
    for target, field in {
        arn("sqs", "nothing.fifo"): "targetParameters.sqsQueueParameters.messageGroupId",
        arn("kinesis", "stream/s"): "targetParameters.kinesisStreamParameters.partitionKey",
        arn("sns", "nothing.fifo"): "target",
    }.items():
        definition = whole({"Name": name, "Source": SOURCE, "Target": target})
        assert [where for where, _ in refused(pipes, definition)] == [field]
