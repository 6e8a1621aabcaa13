"""What a Lambda target receives: the records of each kind of source, in a bare array.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from embedded import ministack
from pipes_service import ROLE
from pipes_sources import MakeSource, QueueSource, Run, StreamSource, TableSource
from servers import AwsClient

DATA = {
    "every byte": bytes(range(256)),
    "text": "ключ \U0001f511 \u2028".encode(),
    "JSON with blanks and a long number": b'{ "a" : 1.0000000000000000001 }\n',
    "what looks like base64": b"aGVsbG8=",
    "a single byte": b"\0",
}
KEYS = ("ключ", "k" * 256, '"quoted\\"')


def now() -> float:
    return datetime.now(UTC).timestamp()


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_the_data_of_a_kinesis_record_is_byte_for_byte_what_was_put(
    data: bytes, stream: StreamSource, run: Run
) -> None:
    stream.put_data([(data, "key")])
    ((record,),) = run(stream).invoked(1)
    assert base64.b64decode(record["data"], validate=True) == data


@pytest.mark.parametrize("key", KEYS, ids=["letters", "long", "quotes"])
def test_a_kinesis_record_has_the_members_of_aws_and_no_other(
    key: str, stream: StreamSource, run: Run
) -> None:
    begun = now()
    (put,) = stream.put_data([(b"data", key)])
    ((record,),) = run(stream).invoked(1)
    arrived = record.pop("approximateArrivalTimestamp")
    assert isinstance(arrived, float)
    assert begun - 1 < arrived < now()
    assert record == {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": key,
        "sequenceNumber": put["SequenceNumber"],
        "data": "ZGF0YQ==",
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{put['ShardId']}:{put['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": ROLE,
        "awsRegion": ministack.REGION,
        "eventSourceARN": stream.arn,
    }


@pytest.mark.parametrize("kind", ["kinesis", "dynamodb", "sqs", "fifo"])
@pytest.mark.parametrize("count", [1, 3])
def test_records_come_in_a_bare_array(kind: str, count: int, source: MakeSource, run: Run) -> None:
    words = ["a", "b", "c"][:count]
    made = source(kind)
    made.put(*words, key="one")
    (event,) = run(made).invoked(1)
    assert isinstance(event, list)
    assert made.words(event) == words


BEFORE = {
    "key": {"S": "k"},
    "number": {"N": "-1.5"},
    "many digits": {"N": "12345678901234567890123456789012345678"},
    "binary": {"B": bytes(range(256))},
    "binaries": {"BS": [b"\0", b"\xff"]},
    "numbers": {"NS": ["1", "2.5"]},
    "strings": {"SS": ["a", "ключ"]},
    "nested": {"M": {"list": {"L": [{"BOOL": True}, {"NULL": True}, {"B": b"b"}]}}},
}
AFTER = {"key": {"S": "k"}, "number": {"N": "2"}}

IMAGES = {
    "KEYS_ONLY": set(),
    "NEW_IMAGE": {"NewImage"},
    "OLD_IMAGE": {"OldImage"},
    "NEW_AND_OLD_IMAGES": {"NewImage", "OldImage"},
}
"""The images that each view type has, of those that a change has."""


class Change(NamedTuple):
    name: str
    images: dict[str, Any]


CHANGES = (
    Change("INSERT", {"NewImage": BEFORE}),
    Change("MODIFY", {"OldImage": BEFORE, "NewImage": AFTER}),
    Change("REMOVE", {"OldImage": AFTER}),
)


def as_received(value: Any) -> Any:
    """An attribute value as JSON has it: bytes in base64, and sets in no order."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {name: as_received(inner) for name, inner in value.items()}
        case list():
            return [as_received(inner) for inner in value]
    return value


@pytest.fixture
def changed_table(
    source: MakeSource, aws: AwsClient, request: pytest.FixtureRequest
) -> TableSource:
    table: TableSource = source("dynamodb", view=request.param)
    dynamodb = aws("dynamodb")
    dynamodb.put_item(TableName=table.name, Item=BEFORE)
    dynamodb.put_item(TableName=table.name, Item=AFTER)
    dynamodb.delete_item(TableName=table.name, Key={"key": {"S": "k"}})
    return table


@pytest.mark.parametrize("changed_table", IMAGES, indirect=True)
def test_a_table_stream_record_has_the_images_of_its_view_type(
    changed_table: TableSource, run: Run
) -> None:
    table = changed_table
    (event,) = run(table).invoked(1)
    for record, raw, change in zip(event, table.records(), CHANGES, strict=True):
        created = record["dynamodb"].pop("ApproximateCreationDateTime")
        assert created == raw["dynamodb"]["ApproximateCreationDateTime"].timestamp()
        shown = change.images.keys() & IMAGES[table.view]
        assert record == {
            "eventID": raw["eventID"],
            "eventVersion": "1.1",
            "dynamodb": {
                "Keys": {"key": {"S": "k"}},
                **{name: as_received(change.images[name]) for name in shown},
                "SequenceNumber": raw["dynamodb"]["SequenceNumber"],
                "SizeBytes": raw["dynamodb"]["SizeBytes"],
                "StreamViewType": table.view,
            },
            "awsRegion": ministack.REGION,
            "eventName": change.name,
            "eventSourceARN": table.arn,
            "eventSource": "aws:dynamodb",
        }


ATTRIBUTES: dict[str, dict[str, Any]] = {
    "text": {"DataType": "String", "StringValue": "ключ"},
    "number": {"DataType": "Number", "StringValue": "1.50"},
    "binary": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
    "labelled": {"DataType": "String.label", "StringValue": "x"},
}
RECEIVED_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "text": {"dataType": "String", "stringValue": "ключ"},
    "number": {"dataType": "Number", "stringValue": "1.50"},
    "binary": {
        "dataType": "Binary",
        "binaryValue": base64.b64encode(bytes(range(256))).decode(),
    },
    "labelled": {"dataType": "String.label", "stringValue": "x"},
}
LISTS: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
BODY = '{ "a" : "ключ" }\n'


@pytest.mark.parametrize("names", [(), *((name,) for name in ATTRIBUTES), tuple(ATTRIBUTES)])
def test_a_message_has_the_members_of_aws_and_no_other(
    names: tuple[str, ...], source: MakeSource, aws: AwsClient, run: Run
) -> None:
    queue: QueueSource = source("sqs")
    sent = aws("sqs").send_message(
        QueueUrl=queue.url,
        MessageBody=BODY,
        MessageAttributes={name: ATTRIBUTES[name] for name in names},
    )
    ((record,),) = run(queue).invoked(1)
    assert record.pop("receiptHandle")
    of_system = record.pop("attributes")
    md5 = {"md5OfMessageAttributes": sent["MD5OfMessageAttributes"]} if names else {}
    assert record == {
        "messageId": sent["MessageId"],
        "body": BODY,
        "messageAttributes": {name: {**RECEIVED_ATTRIBUTES[name], **LISTS} for name in names},
        "md5OfBody": hashlib.md5(BODY.encode(), usedforsecurity=False).hexdigest(),
        **md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": ministack.REGION,
    }
    assert of_system.keys() == STANDARD
    assert of_system["ApproximateReceiveCount"] == "1"
    assert all(isinstance(value, str) for value in of_system.values())


STANDARD = {
    "ApproximateReceiveCount",
    "SentTimestamp",
    "SenderId",
    "ApproximateFirstReceiveTimestamp",
}


def test_a_message_of_a_fifo_queue_tells_its_group_and_number(
    source: MakeSource, aws: AwsClient, run: Run
) -> None:
    queue: QueueSource = source("fifo")
    sent = aws("sqs").send_message(
        QueueUrl=queue.url, MessageBody=BODY, MessageGroupId="g", MessageDeduplicationId="d"
    )
    ((record,),) = run(queue).invoked(1)
    attributes = record["attributes"]
    assert attributes.keys() == STANDARD | {
        "SequenceNumber",
        "MessageGroupId",
        "MessageDeduplicationId",
    }
    assert attributes["MessageGroupId"] == "g"
    assert attributes["MessageDeduplicationId"] == "d"
    assert attributes["SequenceNumber"] == sent["SequenceNumber"]
