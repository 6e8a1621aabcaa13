"""The record that a target receives: flat, unlike that of a Lambda event source mapping."""

from __future__ import annotations

from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from eventbridge_pipes.arns import Arn


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


def payload(records: Sequence[Record]) -> bytes:
    """The JSON array of `records`, as the target gets it."""
    return f"[{','.join([record.body for record in records])}]".encode("ascii")


def payload_size(record: Record) -> int:
    """The bytes that the record adds to a payload: itself and a comma (or the closing bracket)."""
    return len(record.body) + 1
