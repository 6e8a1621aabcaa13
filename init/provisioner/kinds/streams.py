"""Kinesis data streams."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.decision import Observed, Pending
from provisioner.kinds.rounds import AllAtOnce
from provisioner.resources import KINESIS_KEY, Stream
from provisioner.tags import known_of_list

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


class Streams(AllAtOnce[Stream]):
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
            kms_key=summary.get("KeyId") if summary.get("EncryptionType") == "KMS" else None,
            mode=summary.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED"),
        )

    def create(self, desired: Stream) -> None:
        self._kinesis.create_stream(
            StreamName=desired.name,
            ShardCount=desired.shards,
            StreamModeDetails={"StreamMode": desired.mode},
            Tags=dict(desired.tags),
        )

    def made(self, desired: Stream) -> Stream:
        return replace(desired, kms_key=None)

    def toward(self, desired: Stream, actual: Stream) -> Stream:
        """One change a round: while it is encrypted anew, a stream takes no other."""
        tagged = replace(actual, tags=desired.tags)
        if actual.kms_key != desired.kms_key:
            return replace(tagged, kms_key=desired.kms_key)
        return replace(tagged, shards=next_shard_count(actual.shards, desired.shards))

    def update(self, desired: Stream, actual: Stream) -> None:
        if actual.tags != desired.tags:
            self._kinesis.add_tags_to_stream(StreamName=desired.name, Tags=dict(desired.tags))
        if actual.kms_key != desired.kms_key:
            self._kinesis.start_stream_encryption(
                StreamName=desired.name, EncryptionType="KMS", KeyId=desired.kms_key or KINESIS_KEY
            )
        if actual.shards != desired.shards:
            self._kinesis.update_shard_count(
                StreamName=desired.name,
                TargetShardCount=desired.shards,
                ScalingType="UNIFORM_SCALING",
            )

    def delete(self, desired: Stream) -> None:
        self._kinesis.delete_stream(StreamName=desired.name, EnforceConsumerDeletion=True)


def next_shard_count(current: int, desired: int) -> int:
    """The nearest to `desired` that one call may ask for: at most double, at least half.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html
    """
    return max(min(desired, current * 2), (current + 1) // 2)
