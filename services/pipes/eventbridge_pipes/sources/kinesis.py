"""A Kinesis stream as source: its shards, and the records of each."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import AwsJsonClient
from eventbridge_pipes.position import Position, iterator_arguments
from eventbridge_pipes.record import Payload, Record
from eventbridge_pipes.runners.shards import Shard
from eventbridge_pipes.sources.asking import ask_for_records
from eventbridge_pipes.sources.source import (
    Asked,
    ExpiredIteratorError,
    Page,
    PositionLostError,
    SourceError,
    SourceNotFoundError,
    ThrottledError,
)


class KinesisStream:
    """One stream (see `source.Stream`)."""

    def __init__(self, calls: AwsJsonClient, arn: str) -> None:
        self._calls = calls
        self._arn = arn

    def created(self) -> float:
        with _translated():
            answer = self._calls.call("DescribeStreamSummary", {"StreamARN": self._arn})
        return float(answer["StreamDescriptionSummary"]["StreamCreationTimestamp"])

    def shards(self) -> list[Shard]:
        found: list[Shard] = []
        arguments = {"StreamARN": self._arn}
        while True:
            with _translated():
                page = self._calls.call("ListShards", arguments)
            for shard in page["Shards"]:
                parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                found.append(Shard(shard["ShardId"], tuple(p for p in parents if p)))
            if not page.get("NextToken"):
                return found
            arguments = {"NextToken": page["NextToken"]}


class KinesisShard:
    """One shard (see `source.ShardReads`)."""

    def __init__(self, calls: AwsJsonClient, stream: Arn, shard_id: str, role_arn: str) -> None:
        self._calls = calls
        self._stream = stream
        self._shard_id = shard_id
        self._shape = KinesisShape(stream, shard_id, role_arn)

    def iterator(self, position: Position) -> str:
        arguments = {"StreamARN": self._stream.text, "ShardId": self._shard_id}
        with _translated(invalid_argument=PositionLostError):
            answer = self._calls.call(
                "GetShardIterator", {**arguments, **iterator_arguments(position)}
            )
        iterator: str = answer["ShardIterator"]
        return iterator

    def page(self, iterator: str, limit: int) -> Page:
        return self.ask(iterator, limit)()

    def ask(self, iterator: str, limit: int) -> Asked:
        return ask_for_records(
            self._calls,
            {"StreamARN": self._stream.text, "ShardIterator": iterator, "Limit": limit},
            lambda answer: self._page(answer, limit),
            # Only the iterator can be invalid; some emulators forget them when they restart.
            partial(_translated, invalid_argument=ExpiredIteratorError),
        )

    def _page(self, answer: dict[str, Any], limit: int) -> Page:
        records = [self._shape.record(raw) for raw in answer["Records"]]
        behind = len(records) >= limit or (answer.get("MillisBehindLatest") or 0) > 0
        # Without a next iterator it is the end of a closed shard.
        return Page(records, answer.get("NextShardIterator"), behind)


_ERRORS: dict[str, type[SourceError]] = {
    "ExpiredIteratorException": ExpiredIteratorError,
    "ResourceNotFoundException": SourceNotFoundError,
}


@contextmanager
def _translated(invalid_argument: type[SourceError] = SourceError) -> Iterator[None]:
    try:
        yield
    except errors.CallError as error:
        code = errors.code_of(error)
        kind = _ERRORS.get(code, SourceError)
        if code == "InvalidArgumentException":
            kind = invalid_argument
        if errors.is_throttling(error):
            kind = ThrottledError
        raise kind(errors.describe(error)) from error


class KinesisShape:
    """Makes the records of one shard. Everything that they share is written once.

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
