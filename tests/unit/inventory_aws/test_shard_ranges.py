"""A range of a shard is read in as few calls as possible, and what is left of it is returned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from inventory_aws.stream import ShardRanges

SHARD = "shardId-000000000000"


class InvalidArgumentError(ClientError):
    pass


class ResourceNotFoundError(ClientError):
    pass


class Kinesis:
    """One shard with the records numbered `oldest` to `newest`; `strict` refuses older numbers."""

    class exceptions:  # noqa: N801 - as in boto3
        InvalidArgumentException = InvalidArgumentError
        ResourceNotFoundException = ResourceNotFoundError

    def __init__(self, oldest: int, newest: int, strict: bool = False) -> None:
        self.numbers = range(oldest, newest + 1)
        self.strict = strict
        self.calls: list[str] = []
        self.read = 0

    def list_shards(self, **_: Any) -> dict[str, Any]:
        self.calls.append("ListShards")
        return {
            "Shards": [{"ShardId": SHARD, "SequenceNumberRange": {"StartingSequenceNumber": "000"}}]
        }

    def get_shard_iterator(self, StartingSequenceNumber: str = "0", **_: Any) -> dict[str, str]:  # noqa: N803
        if self.strict and 0 < int(StartingSequenceNumber) < self.numbers.start:
            raise InvalidArgumentError({}, "GetShardIterator")
        return {"ShardIterator": StartingSequenceNumber}

    def get_records(self, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        self.calls.append("GetRecords")
        numbers = [n for n in self.numbers if n >= int(ShardIterator)][:Limit]
        self.read += len(numbers)
        records = [
            {
                "SequenceNumber": str(n),
                "ApproximateArrivalTimestamp": datetime.fromtimestamp(n, UTC),
                "Data": b"%d" % n,
                "PartitionKey": "P1",
            }
            for n in numbers
        ]
        following = str(numbers[-1] + 1) if numbers else ShardIterator
        return {"Records": records, "NextShardIterator": following, "MillisBehindLatest": 0}


def ranges(kinesis: Any) -> ShardRanges:
    return ShardRanges(kinesis, "stream")


@given(
    st.integers(1, 30), st.integers(0, 20), st.integers(1, 30), st.integers(0, 20), st.booleans()
)
def test_what_is_left_of_a_range_is_returned_whatever_has_expired(
    oldest: int, more: int, first: int, length: int, strict: bool
) -> None:
    last = first + length
    kinesis = Kinesis(oldest, oldest + more, strict)
    found = ranges(kinesis).read(SHARD, first, last, length + 1)
    assert [r.sequence_number for r in found] == [n for n in kinesis.numbers if first <= n <= last]


def test_no_more_is_read_than_asked_for_and_the_shards_are_listed_once() -> None:
    kinesis = Kinesis(1, 1000)
    reading = ranges(kinesis)
    for first in range(1, 101):
        assert len(reading.read(SHARD, first, first, 1)) == 1
    assert kinesis.calls == ["ListShards", *["GetRecords"] * 100]
    assert kinesis.read == 100


def test_a_long_range_may_be_read_in_part() -> None:
    found = ranges(Kinesis(1, 1000)).read(SHARD, 5, 900, count=3)
    assert [record.sequence_number for record in found] == [5, 6, 7]


def test_of_a_shard_that_is_gone_nothing_is_left() -> None:
    assert ranges(Kinesis(1, 9)).read("shardId-000000000007", 1, 2, 2) == []
