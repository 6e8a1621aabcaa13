"""Tables' streams and queues as sources: read by themselves, and through a whole pipe."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eventbridge_pipes.arns import Arn
from eventbridge_pipes.clients import Clients, connect
from eventbridge_pipes.sources.dynamodb import DynamoDbShard, DynamoDbStream
from eventbridge_pipes.sources.queue import Message
from eventbridge_pipes.sources.records import Record
from eventbridge_pipes.sources.sqs import SqsQueue
from eventbridge_pipes.sources.stream import PositionLostError, SourceNotFoundError
from eventbridge_pipes.streams.positions import OLDEST, Position
from inventory_cli.embedded import ministack
from pipes_service import ACCOUNT, Pipeline, PipesProcess, in_state, pipes_process, unique
from servers import AwsClient
from waiting import eventually

WRITE_DOWN = """
import json, os
import boto3

kinesis = boto3.client("kinesis")
seen = set()

def handler(event, context):
    kinesis.put_record(
        StreamName=os.environ["SINK"], PartitionKey="all", Data=json.dumps(event).encode()
    )
    failed = []
    for record in event:
        word = record.get("body", "")
        if word.startswith("refused") or (word.startswith("flaky") and word not in seen):
            seen.add(word)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
"""
"""Writes down each event in the sink; `refused` messages fail always, `flaky` ones at first."""


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
    clients = connect()
    yield clients
    clients.dynamodbstreams_calls.close()
    clients.sqs_calls.close()


@pytest.fixture(scope="module")
def pipes(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    with pipes_process(emulator, tmp_path_factory.mktemp("pipes") / "state") as process:
        yield process


@pytest.fixture
def mortal(emulator: str, tmp_path: Path) -> Iterator[PipesProcess]:
    """A service of the test's own, to be killed."""
    with pipes_process(emulator, tmp_path / "state") as process:
        yield process


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

    def delete(self, id_: str) -> None:
        self._dynamodb.delete_item(TableName=self.name, Key={"id": {"S": id_}})


@pytest.fixture
def table(aws: AwsClient, name: str) -> Table:
    return Table(aws, name)


@pytest.fixture
def shard(clients: Clients, table: Table) -> DynamoDbShard:
    calls = clients.dynamodbstreams_calls
    (only,) = DynamoDbStream(calls, table.stream.text).shards()
    assert only.parents == ()
    return DynamoDbShard(calls, table.stream, only.id)


def ids(records: list[Record]) -> list[str]:
    return [json.loads(record.body)["dynamodb"]["Keys"]["id"]["S"] for record in records]


def test_the_changes_of_a_table_are_read_page_by_page(table: Table, shard: DynamoDbShard) -> None:
    table.put("a", "b", "c")
    first = shard.page(shard.iterator(OLDEST), 2)
    assert first.next_iterator
    rest = shard.page(first.next_iterator, 2)
    assert (ids(first.records), first.behind) == (["a", "b"], True)
    assert (ids(rest.records), rest.behind) == (["c"], False)
    after_a = shard.iterator(Position(after=first.records[0].sequence_number))
    assert ids(shard.page(after_a, 10).records) == ["b", "c"]


def test_binary_values_of_an_item_stay_as_they_are_on_the_wire(
    table: Table, shard: DynamoDbShard
) -> None:
    data = bytes(range(256))
    table.put("a", photo={"B": data}, nested={"L": [{"BS": [data]}]})
    (record,) = shard.page(shard.iterator(OLDEST), 10).records
    image = json.loads(record.body)["dynamodb"]["NewImage"]
    assert base64.b64decode(image["photo"]["B"]) == data
    assert base64.b64decode(image["nested"]["L"][0]["BS"][0]) == data


def test_a_position_that_the_stream_does_not_know_is_lost(shard: DynamoDbShard) -> None:
    with pytest.raises(PositionLostError):
        shard.iterator(Position(after="0" * 21))


def test_a_stream_that_is_not_there_is_not_found(clients: Clients, name: str) -> None:
    arn = f"arn:aws:dynamodb:{ministack.REGION}:{ACCOUNT}:table/{name}/stream/2023-01-01T00:00:00"
    with pytest.raises(SourceNotFoundError):
        DynamoDbStream(clients.dynamodbstreams_calls, arn).created()


def make_queue(aws: AwsClient, name: str, **attributes: str) -> str:
    fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    made = aws("sqs").create_queue(QueueName=name, Attributes={**fifo, **attributes})
    url: str = made["QueueUrl"]
    return url


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{ministack.REGION}:{ACCOUNT}:{name}"


def words(messages: list[Message]) -> list[str]:
    return [json.loads(message.record.body)["body"] for message in messages]


def test_messages_are_received_released_and_deleted(
    aws: AwsClient, clients: Clients, name: str
) -> None:
    url = make_queue(aws, name, VisibilityTimeout="77")
    for word in ("a", "b"):
        aws("sqs").send_message(QueueUrl=url, MessageBody=word)
    queue = SqsQueue(clients.sqs_calls, Arn.parse(queue_arn(name)))
    assert queue.visibility_timeout() == 77
    received = queue.receive(10, 0)
    assert sorted(words(received)) == ["a", "b"]
    assert queue.receive(10, 0) == []
    assert queue.release(received) == []
    again = queue.receive(10, 0)
    assert sorted(words(again)) == ["a", "b"]
    assert queue.delete(again) == []
    (refusal, _) = queue.delete(again)
    assert refusal.stale


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
    (message,) = SqsQueue(clients.sqs_calls, Arn.parse(queue_arn(name))).receive(10, 0)
    record = json.loads(message.record.body)
    assert record["messageAttributes"]["colour"]["stringValue"] == "red"
    assert base64.b64decode(record["messageAttributes"]["photo"]["binaryValue"]) == b"\x00\xff"
    assert message.record.arrived == int(record["attributes"]["SentTimestamp"]) / 1000


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


@pytest.fixture
def pipeline(aws: AwsClient, name: str) -> Pipeline:
    """A function that writes down what it gets, and a standard queue."""
    pipeline = Pipeline(aws, name)
    pipeline.replace_function(WRITE_DOWN)
    return pipeline


def run(pipes: PipesProcess, pipeline: Pipeline, source: str, **parameters: Any) -> None:
    client = pipes.client()
    definition = {**pipeline.definition(), "Source": source, "SourceParameters": parameters}
    client.create_pipe(**definition)
    in_state(client, pipeline.name, "RUNNING")


def records(pipeline: Pipeline) -> list[dict[str, Any]]:
    return [record for event in pipeline.invocations() for record in event]


def settled(pipeline: Pipeline, count: int) -> list[dict[str, Any]]:
    """What the function got, once it is `count` records or more."""

    def enough() -> list[dict[str, Any]]:
        found = records(pipeline)
        assert len(found) >= count, found
        return found

    return eventually(enough)


def bodies(found: list[dict[str, Any]]) -> list[str]:
    return [record["body"] for record in found]


def send(aws: AwsClient, url: str, *words: str, group: str | None = None) -> None:
    of_group = {"MessageGroupId": group} if group else {}
    for word in words:
        unique_word = {"MessageDeduplicationId": word.replace(" ", "-")} if group else {}
        aws("sqs").send_message(QueueUrl=url, MessageBody=word, **of_group, **unique_word)


def counted(aws: AwsClient, url: str) -> int:
    """The messages that the queue holds, be they in view or hidden."""
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
    return sum(int(found[count]) for count in counts)


def emptied(aws: AwsClient, url: str) -> bool:
    return counted(aws, url) == 0


def show_again(aws: AwsClient, url: str, *received: dict[str, Any]) -> None:
    """Put what the function got in view again, as the end of the visibility timeout does."""
    for record in received:
        aws("sqs").change_message_visibility(
            QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
        )


def test_the_messages_of_a_queue_reach_the_function_and_are_deleted(
    pipes: PipesProcess, pipeline: Pipeline, aws: AwsClient
) -> None:
    run(pipes, pipeline, pipeline.queue_arn)
    sent = [f"word {number}" for number in range(60)]
    send(aws, pipeline.queue, *sent)
    found = settled(pipeline, 60)
    eventually(lambda: emptied(aws, pipeline.queue))
    assert sorted(bodies(found)) == sorted(sent)
    record = found[0]
    assert list(record) == [
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    ]
    assert record["eventSourceARN"] == pipeline.queue_arn
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_messages_that_the_filter_leaves_out_are_deleted(
    pipes: PipesProcess, pipeline: Pipeline, aws: AwsClient
) -> None:
    pattern = json.dumps({"body": {"wanted": [True]}})
    criteria = {"Filters": [{"Pattern": pattern}]}
    run(pipes, pipeline, pipeline.queue_arn, FilterCriteria=criteria)
    wanted = '{"wanted":true}'
    send(aws, pipeline.queue, '{"wanted":false}', "no JSON", wanted)
    assert bodies(settled(pipeline, 1)) == [wanted]
    eventually(lambda: emptied(aws, pipeline.queue))
    assert bodies(records(pipeline)) == [wanted]


def test_only_the_messages_that_the_function_reports_come_again(
    pipes: PipesProcess, pipeline: Pipeline, aws: AwsClient, name: str
) -> None:
    url = make_queue(aws, f"{name}-failing", VisibilityTimeout="300")
    run(pipes, pipeline, queue_arn(f"{name}-failing"))
    send(aws, url, "a", "flaky b", "c")
    found = settled(pipeline, 3)
    assert sorted(bodies(found)) == ["a", "c", "flaky b"]

    eventually(lambda: counted(aws, url) == 1)
    show_again(aws, url, *(each for each in found if each["body"] == "flaky b"))
    eventually(lambda: emptied(aws, url))
    [*_, again] = records(pipeline)
    assert bodies(records(pipeline)) == [*bodies(found), "flaky b"]
    assert again["attributes"]["ApproximateReceiveCount"] == "2"


def test_a_message_that_always_fails_goes_to_the_queues_own_dead_letter_queue(
    pipes: PipesProcess, pipeline: Pipeline, aws: AwsClient, name: str
) -> None:
    redrive = {"deadLetterTargetArn": pipeline.queue_arn, "maxReceiveCount": "2"}
    url = make_queue(
        aws, f"{name}-failing", VisibilityTimeout="300", RedrivePolicy=json.dumps(redrive)
    )
    run(pipes, pipeline, queue_arn(f"{name}-failing"))
    send(aws, url, "refused")
    for times in (1, 2):
        show_again(aws, url, settled(pipeline, times)[-1])

    def dead_letters() -> list[Any]:
        received: list[Any] = (
            aws("sqs").receive_message(QueueUrl=pipeline.queue).get("Messages", [])
        )
        return received

    (letter,) = eventually(dead_letters)
    assert letter["Body"] == "refused"
    assert bodies(records(pipeline)) == ["refused", "refused"]


def test_a_fifo_queue_keeps_the_order_of_each_group_also_behind_a_failure(
    pipes: PipesProcess, pipeline: Pipeline, aws: AwsClient, name: str
) -> None:
    url = make_queue(aws, f"{name}.fifo", VisibilityTimeout="300")
    send(aws, url, "a 1", "flaky a 2", "a 3", group="a")
    send(aws, url, "b 1", "b 2", group="b")
    run(pipes, pipeline, queue_arn(f"{name}.fifo"))
    found = settled(pipeline, 5)
    eventually(lambda: counted(aws, url) == 2)
    show_again(aws, url, *(each for each in found if each["body"] in ("flaky a 2", "a 3")))
    eventually(lambda: emptied(aws, url))
    delivered = bodies(records(pipeline))
    assert [word for word in delivered if "b" in word] == ["b 1", "b 2"]
    # The function saw the message behind the failed one as well: it is delivered once more.
    assert [word for word in delivered if "a " in word] == [
        "a 1",
        "flaky a 2",
        "a 3",
        "flaky a 2",
        "a 3",
    ]


def test_what_a_stopped_pipe_still_receives_is_in_view_again_at_once(
    pipes: PipesProcess, pipeline: Pipeline, aws: AwsClient
) -> None:
    run(pipes, pipeline, pipeline.queue_arn)
    send(aws, pipeline.queue, "before")
    settled(pipeline, 1)
    pipes.client().stop_pipe(Name=pipeline.name)
    in_state(pipes.client(), pipeline.name, "STOPPED", timeout=5)
    send(aws, pipeline.queue, "after")
    received = eventually(
        lambda: aws("sqs").receive_message(QueueUrl=pipeline.queue).get("Messages"), timeout=10
    )
    assert received[0]["Body"] == "after"
    assert bodies(records(pipeline)) == ["before"]


def test_no_message_is_lost_when_the_service_is_killed(
    mortal: PipesProcess, pipeline: Pipeline, aws: AwsClient, name: str
) -> None:
    url = make_queue(aws, f"{name}-short", VisibilityTimeout="2")
    run(mortal, pipeline, queue_arn(f"{name}-short"))
    sent = [f"word {number}" for number in range(40)]
    send(aws, url, *sent[:20])
    settled(pipeline, 1)
    mortal.kill()
    send(aws, url, *sent[20:])
    mortal.start()
    eventually(lambda: emptied(aws, url))
    assert set(bodies(records(pipeline))) == set(sent)


def changes(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(record["eventName"], record["dynamodb"]["Keys"]["id"]["S"]) for record in found]


def delivered_until(pipeline: Pipeline, last: str) -> list[str]:
    """The ids of the items whose changes were delivered, once `last` is the last one of them."""
    found = [id_ for _, id_ in changes(records(pipeline))]
    assert found[-1:] == [last]
    return found


def from_table(position: str, **parameters: Any) -> dict[str, Any]:
    return {"DynamoDBStreamParameters": {"StartingPosition": position, **parameters}}


def test_the_changes_of_a_table_reach_the_function_in_order(
    pipes: PipesProcess, pipeline: Pipeline, table: Table
) -> None:
    table.put("a", "b")
    run(pipes, pipeline, table.stream.text, **from_table("TRIM_HORIZON"))
    table.put("a", colour={"S": "red"})
    table.delete("b")
    found = settled(pipeline, 4)
    assert changes(found) == [("INSERT", "a"), ("INSERT", "b"), ("MODIFY", "a"), ("REMOVE", "b")]
    record = found[2]
    created = record["dynamodb"].pop("ApproximateCreationDateTime")
    assert isinstance(created, int)
    del record["eventID"], record["dynamodb"]["SequenceNumber"], record["dynamodb"]["SizeBytes"]
    assert record == {
        "eventVersion": "1.1",
        "dynamodb": {
            "Keys": {"id": {"S": "a"}},
            "NewImage": {"id": {"S": "a"}, "colour": {"S": "red"}},
            "OldImage": {"id": {"S": "a"}},
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "awsRegion": ministack.REGION,
        "eventName": "MODIFY",
        "eventSourceARN": table.stream.text,
        "eventSource": "aws:dynamodb",
    }


def test_changes_are_filtered_by_what_they_changed(
    pipes: PipesProcess, pipeline: Pipeline, table: Table
) -> None:
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"size": {"N": ["2"]}}}}
    run(
        pipes,
        pipeline,
        table.stream.text,
        **from_table("TRIM_HORIZON"),
        FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]},
    )
    table.put("small", size={"N": "1"})
    table.put("large", size={"N": "2"})
    table.put("small", size={"N": "2"})
    table.put("last", size={"N": "2"})
    assert changes(settled(pipeline, 2)) == [("INSERT", "large"), ("INSERT", "last")]


def test_a_table_is_read_on_where_the_killed_service_was(
    mortal: PipesProcess, pipeline: Pipeline, table: Table
) -> None:
    run(mortal, pipeline, table.stream.text, **from_table("TRIM_HORIZON"))
    table.put("a")
    settled(pipeline, 1)
    mortal.kill()
    table.put("b")
    mortal.start()
    table.put("c")
    found = eventually(lambda: delivered_until(pipeline, "c"))
    assert [id_ for id_ in found if id_ != "a"] == ["b", "c"]


def test_latest_of_a_table_loses_nothing_when_the_service_dies_before_the_first_change(
    mortal: PipesProcess, pipeline: Pipeline, table: Table
) -> None:
    run(mortal, pipeline, table.stream.text, **from_table("LATEST"))
    mortal.kill()
    table.put("while it was down")
    mortal.start()
    assert changes(settled(pipeline, 1)) == [("INSERT", "while it was down")]


def test_latest_of_a_table_leaves_out_what_changed_before(
    pipes: PipesProcess, pipeline: Pipeline, table: Table, clients: Clients
) -> None:
    table.put("long before")
    in_another_second(table, clients)
    run(pipes, pipeline, table.stream.text, **from_table("LATEST"))
    table.put("after")
    found = eventually(lambda: delivered_until(pipeline, "after"))
    assert "long before" not in found


def in_another_second(table: Table, clients: Clients) -> None:
    """Return when the changes of the table are dated later than those that are there now."""
    calls = clients.dynamodbstreams_calls
    (only,) = DynamoDbStream(calls, table.stream.text).shards()
    shard = DynamoDbShard(calls, table.stream, only.id)

    def later() -> bool:
        table.put("tick", at={"S": unique("test_tick")})
        dates = {record.arrived for record in shard.page(shard.iterator(OLDEST), 1000).records}
        return len(dates) > 1

    eventually(later)
