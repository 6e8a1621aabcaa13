"""A Kinesis stream as source: its shards, and the records of each."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import AwsJsonClient
from eventbridge_pipes.record import Payload, Position, Record, Shard
from eventbridge_pipes.sources.source import (
    ADDED_UNLESS_SENT,
    ExpiredIteratorError,
    Page,
    PendingPage,
    PositionLostError,
    SourceKind,
    time_of,
    translated,
)


class KinesisStream:
    """One stream (see `source.Stream`)."""

    def __init__(self, calls: AwsJsonClient, arn: Arn, role_arn: str) -> None:
        self._calls = calls
        self._arn = arn
        self._role_arn = role_arn

    def created(self) -> float:
        return float(self._summary()["StreamDescriptionSummary"]["StreamCreationTimestamp"])

    def now(self) -> float:
        return time_of(self._summary())

    def shards(self) -> list[Shard]:
        found: list[Shard] = []
        arguments = {"StreamARN": self._arn.text}
        while True:
            with translated():
                page = self._calls.call("ListShards", arguments)
            for shard in page["Shards"]:
                parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                found.append(Shard(shard["ShardId"], tuple(p for p in parents if p)))
            if not page.get("NextToken"):
                return found
            arguments = {"NextToken": page["NextToken"]}

    def shard(self, shard_id: str) -> KinesisShard:
        return KinesisShard(self._calls, self._arn, shard_id, self._role_arn)

    def _summary(self) -> dict[str, Any]:
        with translated():
            return self._calls.call("DescribeStreamSummary", {"StreamARN": self._arn.text})


class KinesisShard:
    """One shard (see `source.ShardSource`)."""

    def __init__(self, calls: AwsJsonClient, stream: Arn, shard_id: str, role_arn: str) -> None:
        self._calls = calls
        self._stream = stream
        self._shard_id = shard_id
        self._shape = KinesisShape(stream, shard_id, role_arn)

    def iterator(self, position: Position) -> str:
        arguments = {"StreamARN": self._stream.text, "ShardId": self._shard_id}
        with translated("InvalidArgumentException", PositionLostError):
            answer = self._calls.call(
                "GetShardIterator", {**arguments, **iterator_arguments(position)}
            )
        iterator: str = answer["ShardIterator"]
        return iterator

    def begin_read(self, iterator: str, limit: int) -> PendingPage:
        arguments = {"StreamARN": self._stream.text, "ShardIterator": iterator, "Limit": limit}
        with translated():
            pending = self._calls.begin("GetRecords", arguments)

        def page(timeout: float | None) -> Page:
            # Only the iterator can be invalid; some emulators forget them when they restart.
            with translated("InvalidArgumentException", ExpiredIteratorError):
                answer = pending.result(timeout)
            records = [self._shape.record(raw) for raw in answer["Records"]]
            behind = len(records) >= limit or (answer.get("MillisBehindLatest") or 0) > 0
            return Page(records, answer.get("NextShardIterator"), behind)

        return page


def iterator_arguments(position: Position) -> dict[str, Any]:
    """The arguments of GetShardIterator that say where to start."""
    if position.after is not None:
        return {
            "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
            "StartingSequenceNumber": position.after,
        }
    if position.at is not None:
        return {
            "ShardIteratorType": "AT_TIMESTAMP",
            "Timestamp": datetime.fromtimestamp(position.at, UTC),
        }
    return {"ShardIteratorType": "LATEST" if position.latest else "TRIM_HORIZON"}


class KinesisShape:
    """Makes the records of one shard. The text that they share is made once.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
    """

    def __init__(self, stream: Arn, shard_id: str, role_arn: str) -> None:
        self._shard_id = shard_id
        self._stream = stream
        self._role_arn = role_arn
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
        members = {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": raw["PartitionKey"],
            "sequenceNumber": number,
            "data": raw["Data"],
            "approximateArrivalTimestamp": arrived,
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": event_id,
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": self._role_arn,
            "awsRegion": self._stream.region,
            "eventSourceARN": self._stream.text,
        }
        return Record(event_id, number, arrived, body, raw["PartitionKey"], members, DATA)


def _text_of(data: str) -> str:
    """Raises ValueError (binascii.Error, UnicodeDecodeError) when it is not UTF-8 in base64."""
    return base64.b64decode(data, validate=True).decode()


DATA = Payload("data", _text_of)

KIND = SourceKind(
    service="kinesis",
    payload="data",
    object_member="data",
    added=ADDED_UNLESS_SENT,
    resource="stream/[^/]*",
    label="a Kinesis stream",
    parameters="KinesisStreamParameters",
    default_batch_size=100,
    stream=lambda pipe, clients: KinesisStream(
        clients.kinesis_calls, Arn.parse(pipe.source), pipe.role_arn
    ),
    batch_info="KinesisBatchInfo",
)
