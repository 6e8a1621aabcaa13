"""The whole stream, read without a consumer's place in it."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from inventory.stream import StreamRecord, pages, shards

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_kinesis import KinesisClient

READERS_CONFIG = Config(connect_timeout=5, retries={"mode": "standard", "max_attempts": 10})
"""A shard answers five reads a second, whoever asks: the pipe reads it too, and throttled calls
are repeated. https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html"""


def reader(session: boto3.Session) -> KinesisClient:
    """A client to read with, that repeats what was throttled."""
    return session.client("kinesis", config=READERS_CONFIG)


def read_all(kinesis: KinesisClient, stream: str) -> list[StreamRecord]:
    """All records within retention, of all shards, closed ones too, shard by shard.

    What arrives while it reads may or may not be among them.
    """
    found: list[StreamRecord] = []
    for shard in shards(kinesis, stream):
        shard_id = shard["ShardId"]
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for page in pages(kinesis, shard_id, iterator):
            found += page
    return found


def created_at(kinesis: KinesisClient, stream: str) -> tuple[float, bool]:
    """When the stream was created, and whether none of its records can have expired since."""
    answer = kinesis.describe_stream_summary(StreamName=stream)
    summary = answer["StreamDescriptionSummary"]
    created = summary["StreamCreationTimestamp"].timestamp()
    return created, _now(answer) - created < summary["RetentionPeriodHours"] * 3600


def _now(answer: Any) -> float:
    """The time of the server that answered, whose clock the stream's records have."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(date).timestamp() if date else time.time()
