"""The whole stream, read without a consumer's place in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

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
    began = time.time()
    found: list[StreamRecord] = []
    for shard in shards(kinesis, stream):
        shard_id = shard["ShardId"]
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for page in pages(kinesis, shard_id, iterator):
            found += page
            if page and page[-1].arrived_at > began:
                break
    return found


def is_whole(kinesis: KinesisClient, stream: str, now: float) -> bool:
    """Whether the stream still has its first record: it is younger than its retention."""
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    age = now - summary["StreamCreationTimestamp"].timestamp()
    return age < summary["RetentionPeriodHours"] * 3600
