"""A change of an item, as the stream of its table tells it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams.type_defs import RecordTypeDef

Item = Mapping[str, Any]
"""An item as the DynamoDB API gives it: {"quantity": {"N": "5"}, …}."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which stream a record is: what tells it from every other one."""

    stream: str
    shard: str
    sequence_number: str


@dataclass(frozen=True, slots=True)
class Record:
    """One change: the item before and after it, None where there was none.

    `at` is in seconds since the epoch; DynamoDB rounds it to whole ones, LocalStack to minutes.
    """

    place: Place
    at: float
    keys: Item
    before: Item | None
    after: Item | None


def record_of(stream: str, shard: str, raw: RecordTypeDef) -> Record:
    """The record that GetRecords gave, of a stream with both images."""
    change = raw["dynamodb"]
    return Record(
        Place(stream, shard, change["SequenceNumber"]),
        change["ApproximateCreationDateTime"].timestamp(),
        change["Keys"],
        change.get("OldImage"),
        change.get("NewImage"),
    )
