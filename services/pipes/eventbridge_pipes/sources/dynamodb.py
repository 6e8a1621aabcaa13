"""A DynamoDB table's stream as source: its shards, and the records of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients, DirectClient
from eventbridge_pipes.record import Position, Record, Shard
from eventbridge_pipes.sources import source


@dataclass(frozen=True)
class DynamoDbStream:
    """One stream of a table (see `source.Stream`).

    A table whose stream is disabled keeps it for a day, its shards closed. A stream enabled again
    is another one: it has its own ARN, and only a pipe made for that ARN reads it.
    """

    client: DirectClient
    arn: Arn

    def created(self) -> float:
        return float(self._describe(Limit=1)["StreamDescription"]["CreationRequestDateTime"])

    def now(self) -> float:
        return source.time_of(self._describe(Limit=1))

    def shards(self) -> list[Shard]:
        found: list[Shard] = []
        start: dict[str, str] = {}
        while True:
            page = self._describe(**start)["StreamDescription"]
            found += map(source.listed_shard, page.get("Shards", []))
            last = page.get("LastEvaluatedShardId")
            if not last:
                return found
            start = {"ExclusiveStartShardId": last}

    def shard(self, shard_id: str) -> source.AwsShard:
        return source.AwsShard(
            self.client,
            shard={"StreamArn": self.arn.text, "ShardId": shard_id},
            start=iterator_arguments,
            read={},
            record=partial(record_of, stream=self.arn),
            unknown="TrimmedDataAccessException",
            page_records=1000,
        )

    def _describe(self, **arguments: str | int) -> source.Members:
        with source.translated():
            return self.client.call("DescribeStream", {"StreamArn": self.arn.text, **arguments})


def iterator_arguments(position: Position) -> source.Members:
    """The arguments of GetShardIterator that say where to start.

    DynamoDB finds no record by its time. To start at a time, the reader begins with the oldest
    record and leaves out earlier ones.
    """
    if position.after is not None:
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": position.after}
    is_latest = position.latest and position.at is None
    return {"ShardIteratorType": "LATEST" if is_latest else "TRIM_HORIZON"}


def record_of(raw: source.Members, stream: Arn) -> Record:
    """The record of a change, its members in the order of AWS's example.

    `raw` is a record of GetRecords, its binary values in base64, its time a number.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html
    """
    change = source.in_order(raw["dynamodb"], _CHANGE)
    created = change["ApproximateCreationDateTime"]
    if created == int(created):
        # The wire may say 1.479499740E9; AWS passes whole seconds on as 1479499740.
        change["ApproximateCreationDateTime"] = int(created)
    members = {
        "eventID": raw["eventID"],
        "eventVersion": raw.get("eventVersion", "1.1"),
        "dynamodb": change,
        "awsRegion": raw.get("awsRegion") or stream.region,
        "eventName": raw["eventName"],
        "eventSourceARN": stream.text,
        "eventSource": "aws:dynamodb",
    }
    if deleted_by := raw.get("userIdentity"):
        # Of an item that was past its time to live. The API's model spells the members with
        # capitals; those who receive events see them without.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
        members["userIdentity"] = source.uncapitalized(deleted_by)
    return Record(
        raw["eventID"],
        change["SequenceNumber"],
        float(created),
        source.compact_json(members),
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


def describe(clients: Clients, arn: Arn) -> float:
    arguments = {"StreamArn": arn.text, "Limit": 1}
    answer = clients.dynamodbstreams_calls.call("DescribeStream", arguments)
    stream = answer["StreamDescription"]
    if stream.get("StreamStatus") in ("DISABLING", "DISABLED"):
        raise source.UnusableError(
            "it is disabled. A stream enabled again is another one: use its ARN"
        )
    return float(stream["CreationRequestDateTime"])


KIND = source.SourceKind(
    service="dynamodb",
    object_member="dynamodb",
    # AWS's tutorial filters by eventName, which DynamoDB itself sends:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-tutorial-create-dynamodb-sqs.html
    added=source.ADDED,
    resource="table/[^/]*/stream/[^/]*",
    label="a DynamoDB stream",
    noun="stream",
    describe=describe,
    parameters="DynamoDBStreamParameters",
    default_batch_size=100,
    violations=source.stream_violations,
    stream=lambda pipe, clients: DynamoDbStream(
        clients.dynamodbstreams_calls, Arn.parse(pipe.source)
    ),
    batch_info="DDBStreamBatchInfo",
)
