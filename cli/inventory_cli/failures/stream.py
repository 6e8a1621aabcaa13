"""What is on the stream, read without a consumer's place in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef, ShardTypeDef

READERS_CONFIG = Config(connect_timeout=5, retries={"mode": "standard", "max_attempts": 10})
"""A shard answers five reads a second, whoever asks: the pipe reads it too, and throttled calls
are repeated. https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html"""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record; `arrived_at` in seconds since the epoch."""

    shard_id: str
    sequence_number: int
    arrived_at: float
    data: bytes
    partition_key: str

    @property
    def place(self) -> tuple[str, int]:
        """What tells it from every other record of the stream."""
        return self.shard_id, self.sequence_number


class ExpiredError(Exception):
    """The stream no longer holds the record: its retention is over, or its shard is gone."""


def reader(session: boto3.Session) -> KinesisClient:
    """A client to read with, that repeats what was throttled."""
    return session.client("kinesis", config=READERS_CONFIG)


def read_all(kinesis: KinesisClient, stream: str) -> list[StreamRecord]:
    """All records within retention, of all shards, closed ones too, shard by shard.

    What arrives while it reads may or may not be among them.
    """
    began = time.time()
    found: list[StreamRecord] = []
    for shard in _shards(kinesis, stream):
        shard_id = shard["ShardId"]
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for page in _pages(kinesis, shard_id, iterator):
            found += page
            if page and page[-1].arrived_at > began:
                break
    return found


def read_range(
    kinesis: KinesisClient, stream: str, shard_id: str, first: int | str, last: int | str
) -> list[StreamRecord]:
    """The records of a shard from `first` to `last`, both included.

    Raises ExpiredError when the first is no longer on the stream, or its shard is not.
    """
    shard = next((s for s in _shards(kinesis, stream) if s["ShardId"] == shard_id), None)
    if shard is None:
        raise ExpiredError(f"{shard_id} is no longer there")
    # Numbers grow, but an emulator may want them in as many digits as it writes them.
    digits = len(shard["SequenceNumberRange"]["StartingSequenceNumber"])
    try:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream,
            ShardId=shard_id,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=str(first).zfill(digits),
        )["ShardIterator"]
    except (
        kinesis.exceptions.ResourceNotFoundException,
        kinesis.exceptions.InvalidArgumentException,
    ) as error:
        raise ExpiredError(f"{shard_id} no longer holds {first}") from error
    found: list[StreamRecord] = []
    for page in _pages(kinesis, shard_id, iterator):
        found += [record for record in page if record.sequence_number <= int(last)]
        if page and page[-1].sequence_number >= int(last):
            break
    # Where its record is gone, an iterator starts with the oldest there is after it.
    if not found or found[0].sequence_number != int(first):
        raise ExpiredError(f"{shard_id} no longer holds {first}")
    return found


def is_whole(kinesis: KinesisClient, stream: str, now: float) -> bool:
    """Whether the stream still has its first record: it is younger than its retention."""
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    age = now - summary["StreamCreationTimestamp"].timestamp()
    return age < summary["RetentionPeriodHours"] * 3600


def _shards(kinesis: KinesisClient, stream: str) -> Iterator[ShardTypeDef]:
    asked: dict[str, Any] = {"StreamName": stream}
    while True:
        answer = kinesis.list_shards(**asked)
        yield from answer["Shards"]
        if not answer.get("NextToken"):
            return
        asked = {"NextToken": answer["NextToken"]}


def _pages(kinesis: KinesisClient, shard_id: str, iterator: str) -> Iterator[list[StreamRecord]]:
    """Pages of records up to an empty one that is behind nothing, or the end of a closed shard."""
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator)
        yield [_record(shard_id, record) for record in answer["Records"]]
        if not answer["Records"] and not answer.get("MillisBehindLatest"):
            return
        iterator = answer.get("NextShardIterator", "")


def _record(shard_id: str, record: RecordTypeDef) -> StreamRecord:
    return StreamRecord(
        shard_id=shard_id,
        sequence_number=int(record["SequenceNumber"]),
        arrived_at=record["ApproximateArrivalTimestamp"].timestamp(),
        data=record["Data"],
        partition_key=record["PartitionKey"],
    )
