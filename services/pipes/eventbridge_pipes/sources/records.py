"""The record that a target receives: flat, unlike that of a Lambda event source mapping."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from eventbridge_pipes.arn import Arn


class Record(NamedTuple):
    """A record on its way; `body` is its JSON, in ASCII, so that its length is its bytes.

    `event_id` is how the pipe's target names it when it fails: a stream's eventID, a message's
    messageId. `sequence_number` is the stream's; empty for a queue. `arrived` is its approximate
    arrival in seconds since the epoch. What shares a `partition_key` keeps its order.
    """

    event_id: str
    sequence_number: str
    arrived: float
    body: str
    partition_key: str = ""


class KinesisShape:
    """Makes the records of one shard. Everything that they share is written once.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
    """

    def __init__(self, stream: Arn, shard_id: str, role_arn: str) -> None:
        self._shard_id = shard_id
        self._rest = (
            '"eventName":"aws:kinesis:record",'
            f'"invokeIdentityArn":{quoted(role_arn)},"awsRegion":{quoted(stream.region)},'
            f'"eventSourceARN":{quoted(stream.text)}'
        )

    def record(self, raw: dict[str, Any]) -> Record:
        """`raw` is a record of GetRecords, its Data still in base64, its time still a number."""
        number = raw["SequenceNumber"]
        arrived = float(raw["ApproximateArrivalTimestamp"])
        event_id = f"{self._shard_id}:{number}"
        body = (
            '{"kinesisSchemaVersion":"1.0",'
            f'"partitionKey":{quoted(raw["PartitionKey"])},"sequenceNumber":{quoted(number)},'
            f'"data":{quoted(raw["Data"])},"approximateArrivalTimestamp":{arrived!r},'
            '"eventSource":"aws:kinesis","eventVersion":"1.0",'
            f'"eventID":{quoted(event_id)},{self._rest}}}'
        )
        return Record(event_id, number, arrived, body, raw["PartitionKey"])


class DynamoDbShape:
    """Makes the records of a table's stream, members in the order of AWS's example.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html
    """

    def __init__(self, stream: Arn) -> None:
        self._stream = stream

    def record(self, raw: dict[str, Any]) -> Record:
        """`raw` is a record of GetRecords, its binary values in base64, its time a number."""
        change = _in_order(raw["dynamodb"], _CHANGE)
        created = change["ApproximateCreationDateTime"]
        if created == int(created):
            # The wire may say 1.479499740E9; AWS passes whole seconds on as 1479499740.
            change["ApproximateCreationDateTime"] = int(created)
        members = {
            "eventID": raw["eventID"],
            "eventVersion": raw.get("eventVersion", "1.1"),
            "dynamodb": change,
            "awsRegion": raw.get("awsRegion") or self._stream.region,
            "eventName": raw["eventName"],
            "eventSourceARN": self._stream.text,
            "eventSource": "aws:dynamodb",
        }
        if raw.get("userIdentity"):
            members["userIdentity"] = _identity(raw["userIdentity"])
        return Record(
            raw["eventID"],
            change["SequenceNumber"],
            float(created),
            _compact(members),
            json.dumps(change["Keys"], sort_keys=True),
        )


_CHANGE = (
    "ApproximateCreationDateTime",
    "Keys",
    "NewImage",
    "OldImage",
    "SequenceNumber",
    "SizeBytes",
    "StreamViewType",
)


def _identity(raw: Mapping[str, str]) -> dict[str, str]:
    """Who deleted an item that was past its time to live.

    The API's model spells the members with capitals; those who receive events see them without.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
    """
    return {name[0].lower() + name[1:]: value for name, value in raw.items()}


class SqsShape:
    """Makes the records of a queue's messages, members in the order of AWS's example.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
    """

    def __init__(self, queue: Arn) -> None:
        self._queue = queue

    def record(self, raw: dict[str, Any]) -> Record:
        """`raw` is a message of ReceiveMessage with all its attributes, binary ones in base64."""
        attributes = _in_order(raw.get("Attributes", {}), _SYSTEM_ATTRIBUTES)
        of_sender = raw.get("MessageAttributes", {})
        members = {
            "messageId": raw["MessageId"],
            "receiptHandle": raw["ReceiptHandle"],
            "body": raw["Body"],
            "attributes": attributes,
            "messageAttributes": {name: _attribute(of_sender[name]) for name in of_sender},
            "md5OfBody": raw["MD5OfBody"],
        }
        if of_sender and "MD5OfMessageAttributes" in raw:
            members["md5OfMessageAttributes"] = raw["MD5OfMessageAttributes"]
        members |= {
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.text,
            "awsRegion": self._queue.region,
        }
        return Record(
            raw["MessageId"],
            "",
            int(attributes.get("SentTimestamp", "0")) / 1000,
            _compact(members),
            attributes.get("MessageGroupId", ""),
        )


_SYSTEM_ATTRIBUTES = (
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "SentTimestamp",
    "SequenceNumber",
    "MessageGroupId",
    "SenderId",
    "MessageDeduplicationId",
    "ApproximateFirstReceiveTimestamp",
)


def _attribute(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute of the sender's, as Lambda's event source mapping passes it on.

    The lists are there and empty: SQS has no values for them.
    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    value = {
        name[0].lower() + name[1:]: raw[name]
        for name in ("StringValue", "BinaryValue")
        if name in raw
    }
    return {**value, "stringListValues": [], "binaryListValues": [], "dataType": raw["DataType"]}


def _in_order(members: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """`members` with those of `names` first; what AWS may add one day goes along behind."""
    return {name: members[name] for name in names if name in members} | dict(members)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def payload(records: Sequence[Record]) -> bytes:
    """The JSON array of `records`, as the target gets it."""
    return f"[{','.join([record.body for record in records])}]".encode("ascii")


def payload_size(record: Record) -> int:
    """The bytes that the record adds to a payload: itself and a comma (or the closing bracket)."""
    return len(record.body) + 1
