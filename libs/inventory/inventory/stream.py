"""What is on the stream, read without a consumer's place in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef, ShardTypeDef

AT_ONCE = 10_000
"""Records of one GetRecords, the most that Kinesis takes."""

Place = tuple[str, int]
"""Shard and sequence number: what tells a record from every other one of the stream."""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record; `arrived_at` in seconds since the epoch."""

    shard_id: str
    sequence_number: int
    arrived_at: float
    data: bytes
    partition_key: str

    @property
    def place(self) -> Place:
        return self.shard_id, self.sequence_number


class Stretches:
    """Reads stretches of shards by their sequence numbers. The shards are listed once."""

    def __init__(self, kinesis: KinesisClient, stream: str) -> None:
        self._kinesis = kinesis
        self._stream = stream
        self._shards: Mapping[str, ShardTypeDef] | None = None

    def read(self, shard_id: str, first: int, last: int, count: int) -> list[StreamRecord]:
        """The records from `first` to `last`, both included, that are still there: `count` at most.

        What is older than the stream's retention is missing at the beginning; all of it may be.
        """
        if self._shards is None:
            self._shards = {each["ShardId"]: each for each in shards(self._kinesis, self._stream)}
        shard = self._shards.get(shard_id)
        if shard is None:
            return []
        # Numbers grow, but an emulator may want them in as many digits as it writes them.
        digits = len(shard["SequenceNumberRange"]["StartingSequenceNumber"])
        iterator = self._iterator(shard_id, str(first).zfill(digits))
        found: list[StreamRecord] = []
        for page in pages(self._kinesis, shard_id, iterator, min(AT_ONCE, count)):
            found += [record for record in page if first <= record.sequence_number <= last]
            if len(found) >= count or (page and page[-1].sequence_number >= last):
                break
        return found[:count]

    def _iterator(self, shard_id: str, first: str) -> str:
        """At the record, or where it is gone at the oldest there is after it."""
        exceptions = self._kinesis.exceptions
        asked: dict[str, Any] = {"StreamName": self._stream, "ShardId": shard_id}
        try:
            answer = self._kinesis.get_shard_iterator(
                **asked, ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=first
            )
        except exceptions.InvalidArgumentException:  # older than all that the shard knows
            answer = self._kinesis.get_shard_iterator(**asked, ShardIteratorType="TRIM_HORIZON")
        except exceptions.ResourceNotFoundException:
            return ""
        return answer["ShardIterator"]


def shards(kinesis: KinesisClient, stream: str) -> Iterator[ShardTypeDef]:
    """All shards within retention, closed ones too."""
    asked: dict[str, Any] = {"StreamName": stream}
    while True:
        answer = kinesis.list_shards(**asked)
        yield from answer["Shards"]
        if not answer.get("NextToken"):
            return
        asked = {"NextToken": answer["NextToken"]}


def pages(
    kinesis: KinesisClient, shard_id: str, iterator: str, limit: int = AT_ONCE
) -> Iterator[list[StreamRecord]]:
    """Pages of up to `limit` records, up to the newest record there is, or the end of a closed
    shard. It takes no look at a clock: the stream says how far behind its newest record a page is.
    """
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=limit)
        yield [record_of(shard_id, record) for record in answer["Records"]]
        # An emulator may count a record that is younger than a millisecond as none.
        if len(answer["Records"]) < limit and not answer.get("MillisBehindLatest"):
            return
        iterator = answer.get("NextShardIterator", "")


def record_of(shard_id: str, record: RecordTypeDef) -> StreamRecord:
    """A record as GetRecords gives it."""
    return StreamRecord(
        shard_id=shard_id,
        sequence_number=int(record["SequenceNumber"]),
        arrived_at=record["ApproximateArrivalTimestamp"].timestamp(),
        data=record["Data"],
        partition_key=record["PartitionKey"],
    )
