"""Each target and enrichment against the emulator: what is sent arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from embedded import ministack
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients, connect
from eventbridge_pipes.outcome import SUCCEEDED, Outcome
from eventbridge_pipes.targets.target import Send
from pipes_service import ACCOUNT, ROLE, function_zip, unique
from pipes_targets import STARTED, Unseen, message, messages, target_to, text
from servers import AwsClient
from waiting import eventually

SENT = [{"number": number, "key": "ab"[number % 2]} for number in range(12)]


@pytest.fixture
def clients(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """As the service has them when it runs beside the emulator."""
    for name, value in {
        "AWS_ENDPOINT_URL": emulator,
        "AWS_DEFAULT_REGION": ministack.REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    aws = connect()
    clients = aws.of(aws.home)
    yield clients
    clients.sqs_calls.close()
    clients.invoker.close()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return unique(request.node.name)


def arn(service: str, resource: str) -> Arn:
    return Arn.parse(f"arn:aws:{service}:{ministack.REGION}:{ACCOUNT}:{resource}")


def make_queue(aws: AwsClient, name: str, **attributes: str) -> str:
    url: str = aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def received(aws: AwsClient, url: str, count: int) -> list[str]:
    """The bodies of the first `count` messages of a queue, which are taken out of it."""
    bodies: list[str] = []

    def all_of_them() -> bool:
        page = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for found in page.get("Messages", ()):
            aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
            bodies.append(found["Body"])
        return len(bodies) >= count

    eventually(all_of_them)
    return bodies


def test_a_queue(clients: Clients, aws: AwsClient, name: str) -> None:
    url = make_queue(aws, name)
    target = target_to(clients, arn("sqs", name).text)
    assert target([*messages(*SENT), text("plain")], Unseen()) == SUCCEEDED
    assert sorted(received(aws, url, 13)) == sorted([*map(json.dumps, SENT), "plain"])


def test_a_fifo_queue_keeps_the_order_of_each_group(
    clients: Clients, aws: AwsClient, name: str
) -> None:
    name += ".fifo"
    url = make_queue(aws, name, FifoQueue="true")
    parameters = {"MessageGroupId": "$.key", "MessageDeduplicationId": "$.number"}
    target = target_to(clients, arn("sqs", name).text, parameters)
    assert target(messages(*SENT), Unseen()) == SUCCEEDED
    bodies = [json.loads(body) for body in received(aws, url, 12)]
    for key in "ab":
        assert [b for b in bodies if b["key"] == key] == [s for s in SENT if s["key"] == key]


def test_a_queue_that_refuses_one_message_takes_the_others(
    clients: Clients, aws: AwsClient, name: str
) -> None:
    url = make_queue(aws, name)
    target = target_to(clients, arn("sqs", name).text)
    answer = target([text("a"), text("\0"), text("b")], Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({1})
    assert sorted(received(aws, url, 2)) == ["a", "b"]


def test_a_topic(clients: Clients, aws: AwsClient, name: str) -> None:
    url = make_queue(aws, name)
    topic = aws("sns").create_topic(Name=name)["TopicArn"]
    aws("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn("sqs", name).text,
        Attributes={"RawMessageDelivery": "true"},
    )
    target = target_to(clients, topic)
    assert target(messages(*SENT), Unseen()) == SUCCEEDED
    assert sorted(received(aws, url, 12)) == sorted(map(json.dumps, SENT))


def test_a_stream(clients: Clients, aws: AwsClient, name: str) -> None:
    aws("kinesis").create_stream(StreamName=name, ShardCount=1)
    target = target_to(clients, arn("kinesis", f"stream/{name}").text, {"PartitionKey": "$.key"})
    assert target(messages(*SENT), Unseen()) == SUCCEEDED
    iterator = aws("kinesis").get_shard_iterator(
        StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = aws("kinesis").get_records(ShardIterator=iterator)["Records"]
    assert [json.loads(record["Data"]) for record in records] == SENT
    assert [record["PartitionKey"] for record in records] == [each["key"] for each in SENT]


def test_a_bus(clients: Clients, aws: AwsClient, name: str) -> None:
    url = make_queue(aws, name)
    bus = aws("events").create_event_bus(Name=name)["EventBusArn"]
    aws("events").put_rule(
        Name=name, EventBusName=name, EventPattern=json.dumps({"detail-type": ["sale"]})
    )
    queue_arn = arn("sqs", name).text
    aws("events").put_targets(
        Rule=name, EventBusName=name, Targets=[{"Id": "queue", "Arn": queue_arn}]
    )
    target = target_to(clients, bus, {"DetailType": "sale", "Resources": ["$.key"]})
    assert target(messages(*SENT), Unseen()) == SUCCEEDED
    events = [json.loads(body) for body in received(aws, url, 12)]
    assert sorted(event["detail"]["number"] for event in events) == list(range(12))
    assert {event["source"] for event in events} == {"Pipe mine"}
    assert all(event["resources"] == [event["detail"]["key"]] for event in events)


def test_a_log_group(clients: Clients, aws: AwsClient, name: str) -> None:
    aws("logs").create_log_group(logGroupName=f"/{name}")
    group = arn("logs", f"log-group:/{name}:*")
    target = target_to(clients, group.text, {"Timestamp": "$.at"})
    sent = [{"at": 1_700_000_000_000 - number} for number in range(12)]
    assert target(messages(*sent), Unseen()) == SUCCEEDED
    events = aws("logs").get_log_events(
        logGroupName=f"/{name}", logStreamName="mine", startFromHead=True
    )["events"]
    assert [json.loads(event["message"]) for event in events] == sent[::-1]
    assert [event["timestamp"] for event in events] == [each["at"] for each in sent[::-1]]


def make_machine(aws: AwsClient, name: str, **state: Any) -> str:
    definition = {"StartAt": "Only", "States": {"Only": state}}
    made = aws("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE, type="EXPRESS"
    )
    machine: str = made["stateMachineArn"]
    return machine


def test_a_state_machine(clients: Clients, aws: AwsClient, name: str) -> None:
    machine = make_machine(aws, name, Type="Pass", End=True)
    answer = target_to(clients, machine)(messages(*SENT), Unseen())
    assert isinstance(answer, bytes)
    assert json.loads(answer) == SENT


def test_a_state_machine_that_fails(clients: Clients, aws: AwsClient, name: str) -> None:
    machine = make_machine(aws, name, Type="Fail", Error="Bad", Cause="because")
    answer = target_to(clients, machine)(messages({}, {}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.reason == "the execution ended FAILED: Bad: because"


def test_a_state_machine_that_is_only_started(clients: Clients, aws: AwsClient, name: str) -> None:
    """The end of an execution is seen by the message that it sends to a queue."""
    url = make_queue(aws, name)
    machine = make_machine(
        aws,
        name,
        Type="Task",
        Resource="arn:aws:states:::sqs:sendMessage",
        Parameters={"QueueUrl": url, "MessageBody.$": "States.JsonToString($)"},
        End=True,
    )
    assert target_to(clients, machine, STARTED)(messages({}), Unseen()) == b""
    assert received(aws, url, 1) == ["[{}]"]


FUNCTION = """
import boto3

def handler(event, context):
    for each in event:
        if "queue" in each:
            boto3.client("sqs").send_message(QueueUrl=each["queue"], MessageBody="here")
        if "raise" in each:
            raise ValueError(each["raise"])
    return {"version": context.function_version, "events": event}
"""


@pytest.fixture
def function(aws: AwsClient, name: str) -> str:
    """The ARN of an alias of version 1."""
    lambda_ = aws("lambda")
    lambda_.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="handler.handler",
        Timeout=30,
        Code={"ZipFile": function_zip(FUNCTION)},
    )
    version = lambda_.publish_version(FunctionName=name)["Version"]
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    return arn("lambda", f"function:{name}:live").text


def test_a_function_with_a_qualifier(clients: Clients, function: str) -> None:
    answer = target_to(clients, function)(messages(*SENT), Unseen())
    assert isinstance(answer, bytes)
    assert json.loads(answer) == {"version": "1", "events": SENT}


def test_a_function_that_raises(clients: Clients, function: str) -> None:
    answer = target_to(clients, function)(messages({"raise": "no"}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.reason.startswith("function error: ")
    assert answer.reason.endswith(": no")


def test_a_function_that_is_only_started(
    clients: Clients, aws: AwsClient, name: str, function: str
) -> None:
    url = make_queue(aws, name)
    assert target_to(clients, function, STARTED)([message({"queue": url})], Unseen()) == (b"")
    assert received(aws, url, 1) == ["here"]


@pytest.mark.parametrize("service", ["sqs", "sns", "kinesis", "logs"])
def test_a_target_that_is_not_there_fails_the_attempt(clients: Clients, service: str) -> None:
    targets: dict[str, Send] = {
        "sqs": target_to(clients, arn("sqs", "absent").text),
        "sns": target_to(clients, arn("sns", "absent").text),
        "kinesis": target_to(clients, arn("kinesis", "stream/absent").text, {"PartitionKey": "x"}),
        "logs": target_to(clients, arn("logs", "log-group:absent").text),
    }
    answer = targets[service](messages({}, {}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({0, 1})
    assert answer.error
    assert answer.error.service == service
    assert 400 <= answer.error.status < 500
