"""Tables' streams and queues, read as a pipe's parts read them.

The conformance tests show what a whole pipe does with them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from embedded import ministack
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients, connect
from eventbridge_pipes.record import OLDEST, Position, Record
from eventbridge_pipes.sources.dynamodb import DynamoDbStream
from eventbridge_pipes.sources.source import AwsShard, PositionLostError, SourceNotFoundError
from eventbridge_pipes.sources.sqs import SqsQueue
from pipes_service import ACCOUNT, unique
from servers import AwsClient


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
    clients.dynamodbstreams_calls.close()
    clients.sqs_calls.close()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return unique(request.node.name)


class Table:
    """A table with a stream; its items have an id and whatever else."""

    def __init__(self, aws: AwsClient, name: str) -> None:
        self.name = name
        self._dynamodb = aws("dynamodb")
        made = self._dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={
                "StreamEnabled": True,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        )
        self.stream = Arn.parse(made["TableDescription"]["LatestStreamArn"])

    def put(self, *ids: str, **attributes: Any) -> None:
        for id_ in ids:
            item = {"id": {"S": id_}, **attributes}
            self._dynamodb.put_item(TableName=self.name, Item=item)


@pytest.fixture
def table(aws: AwsClient, name: str) -> Table:
    return Table(aws, name)


@pytest.fixture
def shard(clients: Clients, table: Table) -> AwsShard:
    stream = DynamoDbStream(clients.dynamodbstreams_calls, table.stream)
    (only,) = stream.shards()
    assert only.parents == ()
    return stream.shard(only.id)


def ids(records: list[Record]) -> list[str]:
    return [json.loads(record.body)["dynamodb"]["Keys"]["id"]["S"] for record in records]


def test_the_changes_of_a_table_are_read_page_by_page(table: Table, shard: AwsShard) -> None:
    table.put("a", "b", "c")
    first = shard.begin_read(shard.iterator(OLDEST), 2)(None)
    assert first.next_iterator
    rest = shard.begin_read(first.next_iterator, 2)(None)
    assert (ids(first.records), first.behind) == (["a", "b"], True)
    assert (ids(rest.records), rest.behind) == (["c"], False)
    after_a = shard.iterator(Position(after=first.records[0].sequence_number))
    assert ids(shard.begin_read(after_a, 10)(None).records) == ["b", "c"]


def test_binary_values_of_an_item_stay_as_they_are_on_the_wire(
    table: Table, shard: AwsShard
) -> None:
    data = bytes(range(256))
    table.put("a", photo={"B": data}, nested={"L": [{"BS": [data]}]})
    (record,) = shard.begin_read(shard.iterator(OLDEST), 10)(None).records
    image = json.loads(record.body)["dynamodb"]["NewImage"]
    assert base64.b64decode(image["photo"]["B"]) == data
    assert base64.b64decode(image["nested"]["L"][0]["BS"][0]) == data


def test_a_position_that_the_stream_does_not_know_is_lost(shard: AwsShard) -> None:
    with pytest.raises(PositionLostError):
        shard.iterator(Position(after="0" * 21))


def test_a_stream_that_is_not_there_is_not_found(clients: Clients, name: str) -> None:
    arn = f"arn:aws:dynamodb:{ministack.REGION}:{ACCOUNT}:table/{name}/stream/2023-01-01T00:00:00"
    with pytest.raises(SourceNotFoundError):
        DynamoDbStream(clients.dynamodbstreams_calls, Arn.parse(arn)).created()


def make_queue(aws: AwsClient, name: str, **attributes: str) -> str:
    fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    made = aws("sqs").create_queue(QueueName=name, Attributes={**fifo, **attributes})
    url: str = made["QueueUrl"]
    return url


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{ministack.REGION}:{ACCOUNT}:{name}"


def words(records: list[Record]) -> list[str]:
    return [json.loads(record.body)["body"] for record in records]


def test_messages_are_received_and_deleted(aws: AwsClient, clients: Clients, name: str) -> None:
    url = make_queue(aws, name, VisibilityTimeout="77")
    for word in ("a", "b"):
        aws("sqs").send_message(QueueUrl=url, MessageBody=word)
    queue = SqsQueue(clients.sqs_calls, Arn.parse(queue_arn(name)))
    assert queue.visibility_timeout() == 77
    received = queue.receive(10, 0)
    assert sorted(words(received)) == ["a", "b"]
    assert queue.receive(10, 0) == []
    assert queue.delete(received) == []
    (not_deleted, _) = queue.delete(received)
    assert not_deleted.expired


def test_the_attributes_of_a_message_come_along(
    aws: AwsClient, clients: Clients, name: str
) -> None:
    aws("sqs").send_message(
        QueueUrl=make_queue(aws, name),
        MessageBody="a",
        MessageAttributes={
            "colour": {"DataType": "String", "StringValue": "red"},
            "photo": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
    )
    (received,) = SqsQueue(clients.sqs_calls, Arn.parse(queue_arn(name))).receive(10, 0)
    record = json.loads(received.body)
    assert record["messageAttributes"]["colour"]["stringValue"] == "red"
    assert base64.b64decode(record["messageAttributes"]["photo"]["binaryValue"]) == b"\x00\xff"
    assert received.arrived == int(record["attributes"]["SentTimestamp"]) / 1000


def test_a_queue_may_be_made_after_it_was_first_asked_for(
    aws: AwsClient, clients: Clients, name: str
) -> None:
    queue = SqsQueue(clients.sqs_calls, Arn.parse(queue_arn(name)))
    with pytest.raises(SourceNotFoundError):
        queue.receive(10, 0)
    url = make_queue(aws, name)
    assert queue.receive(10, 0) == []
    aws("sqs").delete_queue(QueueUrl=url)
    with pytest.raises(SourceNotFoundError):
        queue.receive(10, 0)
