"""A DynamoDB table's stream as source: its shards, and the records of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import AwsJsonClient
from eventbridge_pipes.position import Position
from eventbridge_pipes.record import Record
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
    compact_json,
    in_order,
)

PAGE_RECORDS = 1000
"""What one GetRecords gives at most; beside it, a page ends at 1 MB."""


class DynamoDbStream:
    """One stream of a table (see `source.Stream`).

    A table whose stream is disabled keeps it for a day, its shards closed. A stream enabled again
    is another one: it has an ARN of its own, and no pipe but one made for it reads it.
    """

    def __init__(self, calls: AwsJsonClient, arn: str) -> None:
        self._calls = calls
        self._arn = arn

    def created(self) -> float:
        with _translated():
            answer = self._calls.call("DescribeStream", {"StreamArn": self._arn, "Limit": 1})
        return float(answer["StreamDescription"]["CreationRequestDateTime"])

    def shards(self) -> list[Shard]:
        found: list[Shard] = []
        arguments: dict[str, Any] = {"StreamArn": self._arn}
        while True:
            with _translated():
                page = self._calls.call("DescribeStream", arguments)["StreamDescription"]
            for shard in page.get("Shards", []):
                parent = shard.get("ParentShardId")
                found.append(Shard(shard["ShardId"], (parent,) if parent else ()))
            last = page.get("LastEvaluatedShardId")
            if not last:
                return found
            arguments["ExclusiveStartShardId"] = last


class DynamoDbShard:
    """One shard (see `source.ShardReads`)."""

    def __init__(self, calls: AwsJsonClient, stream: Arn, shard_id: str) -> None:
        self._calls = calls
        self._stream = stream
        self._shard_id = shard_id
        self._shape = DynamoDbShape(stream)

    def iterator(self, position: Position) -> str:
        arguments = {"StreamArn": self._stream.text, "ShardId": self._shard_id}
        with _translated():
            answer = self._calls.call(
                "GetShardIterator", {**arguments, **iterator_arguments(position)}
            )
        iterator: str = answer["ShardIterator"]
        return iterator

    def page(self, iterator: str, limit: int) -> Page:
        return self.ask(iterator, limit)()

    def ask(self, iterator: str, limit: int) -> Asked:
        limit = min(limit, PAGE_RECORDS)
        return ask_for_records(
            self._calls,
            {"ShardIterator": iterator, "Limit": limit},
            lambda answer: self._page(answer, limit),
            # Asking for a new iterator tells whether it is the position itself that was trimmed.
            partial(_translated, trimmed=ExpiredIteratorError),
        )

    def _page(self, answer: dict[str, Any], limit: int) -> Page:
        records = [self._shape.record(raw) for raw in answer["Records"]]
        # DynamoDB does not say how far behind a reader is: a full page means that there is more.
        return Page(records, answer.get("NextShardIterator"), behind=len(records) >= limit)


def iterator_arguments(position: Position) -> dict[str, Any]:
    """What GetShardIterator is given.

    DynamoDB finds no record by its time: from a time on means from the oldest record on, for the
    reader to leave out what came before. Its own LATEST would be another record at each start.
    """
    if position.after is not None:
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": position.after}
    return {"ShardIteratorType": "TRIM_HORIZON"}


@contextmanager
def _translated(trimmed: type[SourceError] = PositionLostError) -> Iterator[None]:
    try:
        yield
    except errors.CallError as error:
        reason = errors.describe(error)
        if errors.is_throttling(error):
            raise ThrottledError(reason) from error
        match errors.code_of(error):
            case "ExpiredIteratorException":
                raise ExpiredIteratorError(reason) from error
            case "ResourceNotFoundException":
                raise SourceNotFoundError(reason) from error
            case "TrimmedDataAccessException":
                raise trimmed(
                    f"{reason} (records are kept for 24 hours: some may have gone unread)"
                ) from error
        raise SourceError(reason) from error


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
