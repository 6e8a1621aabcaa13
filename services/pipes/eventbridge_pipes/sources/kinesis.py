"""A Kinesis stream as source: its shards, and the records of each."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients, DirectClient
from eventbridge_pipes.record import Payload, Position, Record, Shard
from eventbridge_pipes.sources import source


@dataclass(frozen=True)
class KinesisStream:
    """One stream (see `source.Stream`)."""

    client: DirectClient
    arn: Arn
    role_arn: str

    def created(self) -> float:
        return float(self._summary()["StreamDescriptionSummary"]["StreamCreationTimestamp"])

    def now(self) -> float:
        return source.time_of(self._summary())

    def shards(self) -> list[Shard]:
        found: list[Shard] = []
        arguments = {"StreamARN": self.arn.text}
        while arguments:
            with source.translated():
                page = self.client.call("ListShards", arguments)
            found += map(source.listed_shard, page["Shards"])
            token = page.get("NextToken")
            arguments = {"NextToken": token} if token else {}
        return found

    def shard(self, shard_id: str) -> source.AwsShard:
        stream = {"StreamARN": self.arn.text}
        return source.AwsShard(
            self.client,
            shard={**stream, "ShardId": shard_id},
            start=iterator_arguments,
            read=stream,
            record=record_maker(self.arn, shard_id, self.role_arn),
            # Of an iterator too: some emulators forget them when they restart.
            unknown="InvalidArgumentException",
        )

    def _summary(self) -> source.Members:
        with source.translated():
            return self.client.call("DescribeStreamSummary", {"StreamARN": self.arn.text})


def iterator_arguments(position: Position) -> source.Members:
    """The arguments of GetShardIterator that say where to start."""
    if position.after is not None:
        after = position.after
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
    if position.at is not None:
        return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": position.at}
    return {"ShardIteratorType": "LATEST" if position.latest else "TRIM_HORIZON"}


def record_maker(stream: Arn, shard_id: str, role_arn: str) -> Callable[[source.Members], Record]:
    """Return what makes the records of one shard. The text that they share is made once.

    It takes a record of GetRecords, its Data still in base64, its time still a number.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
    """
    blank = {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "",
        "sequenceNumber": "",
        "data": "",
        "approximateArrivalTimestamp": 0.0,
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": "",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role_arn,
        "awsRegion": stream.region,
        "eventSourceARN": stream.text,
    }
    shared = source.compact_json(blank).partition('"eventName":')[2]
    id_begins = quoted(f"{shard_id}:")[:-1]

    def record(raw: source.Members) -> Record:
        number, key, data = raw["SequenceNumber"], raw["PartitionKey"], raw["Data"]
        arrived = float(raw["ApproximateArrivalTimestamp"])
        quoted_number = quoted(number)
        body = (
            f'{{"kinesisSchemaVersion":"1.0","partitionKey":{quoted(key)},'
            f'"sequenceNumber":{quoted_number},"data":{quoted(data)},'
            f'"approximateArrivalTimestamp":{arrived!r},"eventSource":"aws:kinesis",'
            f'"eventVersion":"1.0","eventID":{id_begins}{quoted_number[1:]},"eventName":{shared}'
        )
        members = blank.copy()
        members["partitionKey"] = key
        members["sequenceNumber"] = number
        members["data"] = data
        members["approximateArrivalTimestamp"] = arrived
        members["eventID"] = event_id = f"{shard_id}:{number}"
        return Record(event_id, number, arrived, body, key, members, DATA)

    return record


def _text_of(data: str) -> str:
    """Raises ValueError (binascii.Error, UnicodeDecodeError) when it is not UTF-8 in base64."""
    return base64.b64decode(data, validate=True).decode()


DATA = Payload("data", _text_of)


def describe(clients: Clients, arn: Arn) -> float:
    answer: Any = clients.kinesis.describe_stream_summary(StreamARN=arn.text)
    # The clients leave times as the numbers that they are on the wire.
    return float(answer["StreamDescriptionSummary"]["StreamCreationTimestamp"])


KIND = source.SourceKind(
    service="kinesis",
    payload=DATA,
    object_member="data",
    added=source.ADDED_UNLESS_SENT,
    resource="stream/[^/]*",
    label="a Kinesis stream",
    noun="stream",
    describe=describe,
    parameters="KinesisStreamParameters",
    default_batch_size=100,
    violations=source.stream_violations,
    stream=lambda pipe, clients: KinesisStream(
        clients.kinesis_calls, Arn.parse(pipe.source), pipe.role_arn
    ),
    batch_info="KinesisBatchInfo",
)
