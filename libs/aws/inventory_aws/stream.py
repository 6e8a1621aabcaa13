"""Read the Kinesis stream of events, independently of the pipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef, ShardTypeDef

PAGE_RECORDS = 10_000
"""The most that one GetRecords returns."""

Place = tuple[str, int]
"""Shard and sequence number: they identify a record of the stream."""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record; `arrived_at` in epoch seconds."""

    shard_id: str
    sequence_number: int
    arrived_at: float
    data: bytes
    partition_key: str

    @property
    def place(self) -> Place:
        return self.shard_id, self.sequence_number


@dataclass(frozen=True)
class ShardRanges:
    """Reads ranges of shards by their sequence numbers. The shards are listed once."""

    kinesis: KinesisClient
    stream: str

    @cached_property
    def _first_numbers(self) -> dict[str, str]:
        return {
            each["ShardId"]: each["SequenceNumberRange"]["StartingSequenceNumber"]
            for each in shards(self.kinesis, self.stream)
        }

    def read(self, shard_id: str, first: int, last: int, count: int) -> list[StreamRecord]:
        """The records from `first` to `last` inclusive that still exist: `count` at most.

        Those older than the stream's retention are missing at the beginning; all may be.
        """
        if shard_id not in self._first_numbers:
            return []
        # An emulator may want numbers in as many digits as it writes them.
        number = str(first).zfill(len(self._first_numbers[shard_id]))
        iterator = self._iterator(shard_id, number)
        found: list[StreamRecord] = []
        for page in _pages(self.kinesis, shard_id, iterator, min(PAGE_RECORDS, count)):
            found += [record for record in page if first <= record.sequence_number <= last]
            if len(found) >= count or (page and page[-1].sequence_number >= last):
                break
        return found[:count]

    def _iterator(self, shard_id: str, number: str) -> str:
        """At the record, or else at the oldest one after it; empty if the shard is gone."""
        exceptions = self.kinesis.exceptions
        request: dict[str, Any] = {"StreamName": self.stream, "ShardId": shard_id}
        try:
            answer = self.kinesis.get_shard_iterator(
                **request, ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number
            )
        except exceptions.InvalidArgumentException:  # older than all records of the shard
            answer = self.kinesis.get_shard_iterator(**request, ShardIteratorType="TRIM_HORIZON")
        except exceptions.ResourceNotFoundException:
            return ""
        return answer["ShardIterator"]


def read_all(kinesis: KinesisClient, stream: str) -> list[StreamRecord]:
    """All records within retention, shard by shard, closed shards too.

    What arrives meanwhile may or may not be among them.
    """
    found: list[StreamRecord] = []
    for shard in shards(kinesis, stream):
        shard_id = shard["ShardId"]
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for page in _pages(kinesis, shard_id, iterator):
            found += page
    return found


def created_at(kinesis: KinesisClient, stream: str) -> tuple[float, bool]:
    """When the stream was created, and whether none of its records can have expired since."""
    answer = kinesis.describe_stream_summary(StreamName=stream)
    summary = answer["StreamDescriptionSummary"]
    created = summary["StreamCreationTimestamp"].timestamp()
    # Records have the time of the server, which may differ from ours.
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    now = parsedate_to_datetime(date).timestamp() if date else time.time()
    return created, now - created < summary["RetentionPeriodHours"] * 3600


def shards(kinesis: KinesisClient, stream: str) -> list[ShardTypeDef]:
    """All shards within retention, closed ones too."""
    found: list[ShardTypeDef] = []
    request: dict[str, Any] = {"StreamName": stream}
    while request:  # boto3's paginator sends the name with the token, which Kinesis rejects
        answer = kinesis.list_shards(**request)
        found += answer["Shards"]
        token = answer.get("NextToken")
        request = {"NextToken": token} if token else {}
    return found


def _pages(
    kinesis: KinesisClient, shard_id: str, iterator: str, limit: int = PAGE_RECORDS
) -> Iterator[list[StreamRecord]]:
    """Pages of up to `limit` records, up to the newest record or the end of a closed shard."""
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=limit)
        yield [record_of(shard_id, record) for record in answer["Records"]]
        # An emulator may count a record that is younger than a millisecond as none.
        if len(answer["Records"]) < limit and not answer.get("MillisBehindLatest"):
            return
        iterator = answer.get("NextShardIterator", "")


def record_of(shard_id: str, record: RecordTypeDef) -> StreamRecord:
    """A record as GetRecords returns it."""
    return StreamRecord(
        shard_id=shard_id,
        sequence_number=int(record["SequenceNumber"]),
        arrived_at=record["ApproximateArrivalTimestamp"].timestamp(),
        data=record["Data"],
        partition_key=record["PartitionKey"],
    )
