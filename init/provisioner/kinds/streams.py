"""Kinesis data streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.decision import Observed, Pending
from provisioner.resources import Stream
from provisioner.tags import known_of_list

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


class Streams:
    adopts = False

    def __init__(self, kinesis: KinesisClient) -> None:
        self._kinesis = kinesis

    def look(self, desired: Stream) -> Observed[Stream]:
        try:
            answer = self._kinesis.describe_stream_summary(StreamName=desired.name)
        except self._kinesis.exceptions.ResourceNotFoundException:
            return None
        summary = answer["StreamDescriptionSummary"]
        if summary["StreamStatus"] != "ACTIVE":
            return Pending(summary["StreamStatus"])
        tags = self._kinesis.list_tags_for_stream(StreamName=desired.name)["Tags"]
        return Stream(
            name=desired.name,
            arn=summary["StreamARN"],
            tags=known_of_list(tags),
            shards=summary["OpenShardCount"],
            mode=summary.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED"),
        )

    def create(self, desired: Stream) -> None:
        self._kinesis.create_stream(
            StreamName=desired.name,
            ShardCount=desired.shards,
            StreamModeDetails={"StreamMode": desired.mode},
            Tags=dict(desired.tags),
        )

    def update(self, desired: Stream, actual: Stream) -> None:
        if actual.tags != desired.tags:
            self._kinesis.add_tags_to_stream(StreamName=desired.name, Tags=dict(desired.tags))
        if actual.shards != desired.shards:
            self._kinesis.update_shard_count(
                StreamName=desired.name,
                TargetShardCount=next_shard_count(actual.shards, desired.shards),
                ScalingType="UNIFORM_SCALING",
            )

    def delete(self, desired: Stream) -> None:
        self._kinesis.delete_stream(StreamName=desired.name, EnforceConsumerDeletion=True)


def next_shard_count(current: int, desired: int) -> int:
    """The nearest to `desired` that one call may ask for: at most double, at least half.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html
    """
    return max(min(desired, current * 2), (current + 1) // 2)
