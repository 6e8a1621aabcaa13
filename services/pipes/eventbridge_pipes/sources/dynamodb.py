"""A DynamoDB table's stream as source: its shards, and the records of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import AwsJsonClient
from eventbridge_pipes.record import Position, Record, Shard
from eventbridge_pipes.sources.source import (
    ADDED,
    ExpiredIteratorError,
    Page,
    PendingPage,
    PositionLostError,
    SourceKind,
    compact_json,
    in_order,
    time_of,
    translated,
)

PAGE_RECORDS = 1000
"""The most that one GetRecords gives. A page also ends at 1 MB."""


class DynamoDbStream:
    """One stream of a table (see `source.Stream`).

    A table whose stream is disabled keeps it for a day, its shards closed. A stream enabled again
    is another one: it has its own ARN, and only a pipe made for that ARN reads it.
    """

    def __init__(self, calls: AwsJsonClient, arn: Arn) -> None:
        self._calls = calls
        self._arn = arn

    def created(self) -> float:
        description = self._describe(Limit=1)["StreamDescription"]
        return float(description["CreationRequestDateTime"])

    def now(self) -> float:
        return time_of(self._describe(Limit=1))

    def shards(self) -> list[Shard]:
        found: list[Shard] = []
        start: dict[str, str] = {}
        while True:
            page = self._describe(**start)["StreamDescription"]
            for shard in page.get("Shards", []):
                parent = shard.get("ParentShardId")
                found.append(Shard(shard["ShardId"], (parent,) if parent else ()))
            last = page.get("LastEvaluatedShardId")
            if not last:
                return found
            start = {"ExclusiveStartShardId": last}

    def shard(self, shard_id: str) -> DynamoDbShard:
        return DynamoDbShard(self._calls, self._arn, shard_id)

    def _describe(self, **arguments: Any) -> dict[str, Any]:
        with translated():
            return self._calls.call("DescribeStream", {"StreamArn": self._arn.text, **arguments})


class DynamoDbShard:
    """One shard (see `source.ShardSource`)."""

    def __init__(self, calls: AwsJsonClient, stream: Arn, shard_id: str) -> None:
        self._calls = calls
        self._stream = stream
        self._shard_id = shard_id
        self._shape = DynamoDbShape(stream)

    def iterator(self, position: Position) -> str:
        arguments = {"StreamArn": self._stream.text, "ShardId": self._shard_id}
        with translated("TrimmedDataAccessException", PositionLostError):
            answer = self._calls.call(
                "GetShardIterator", {**arguments, **iterator_arguments(position)}
            )
        iterator: str = answer["ShardIterator"]
        return iterator

    def begin_read(self, iterator: str, limit: int) -> PendingPage:
        limit = min(limit, PAGE_RECORDS)
        with translated():
            pending = self._calls.begin("GetRecords", {"ShardIterator": iterator, "Limit": limit})

        def page(timeout: float | None) -> Page:
            # A new iterator shows whether it is the position itself that was trimmed.
            with translated("TrimmedDataAccessException", ExpiredIteratorError):
                answer = pending.result(timeout)
            records = [self._shape.record(raw) for raw in answer["Records"]]
            # DynamoDB does not say how far behind a reader is: a full page means there is more.
            return Page(records, answer.get("NextShardIterator"), behind=len(records) >= limit)

        return page


def iterator_arguments(position: Position) -> dict[str, Any]:
    """The arguments of GetShardIterator that say where to start.

    DynamoDB finds no record by its time. To start at a time, the reader begins with the oldest
    record and leaves out earlier ones.
    """
    if position.after is not None:
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": position.after}
    is_latest = position.latest and position.at is None
    return {"ShardIteratorType": "LATEST" if is_latest else "TRIM_HORIZON"}


class DynamoDbShape:
    """Makes the records of a table's stream, members in the order of AWS's example.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html
    """

    def __init__(self, stream: Arn) -> None:
        self._stream = stream

    def record(self, raw: dict[str, Any]) -> Record:
        """`raw` is a record of GetRecords, its binary values in base64, its time a number."""
        change = in_order(raw["dynamodb"], _CHANGE)
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
            compact_json(members),
            json.dumps(change["Keys"], sort_keys=True),
            members,
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


KIND = SourceKind(
    service="dynamodb",
    payload=None,
    object_member="dynamodb",
    # AWS's tutorial filters by eventName, which DynamoDB itself sends:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-tutorial-create-dynamodb-sqs.html
    added=ADDED,
    resource="table/[^/]*/stream/[^/]*",
    label="a DynamoDB stream",
    parameters="DynamoDBStreamParameters",
    default_batch_size=100,
    stream=lambda pipe, clients: DynamoDbStream(
        clients.dynamodbstreams_calls, Arn.parse(pipe.source)
    ),
    batch_info="DDBStreamBatchInfo",
)
