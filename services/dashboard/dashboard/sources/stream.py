"""The Kinesis stream: its latest records, then the new ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dashboard.sources.hub import Hub
from inventory_aws.stream import StreamRecord, record_of, shards

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

LOOK_BACK_SECONDS = 120.0
RECORDS_PER_READ = 2_000


class StreamSource:
    """After a failure it starts again, a little before the last record that it read."""

    def __init__(self, hub: Hub, kinesis: KinesisClient, stream: str, now: float) -> None:
        self._hub = hub
        self._kinesis = kinesis
        self._stream = stream
        self._since = now - LOOK_BACK_SECONDS
        self._iterators: dict[str, str] = {}  # "" for a closed shard that is read to its end

    def read(self) -> None:
        """Read each shard once: AWS allows five reads a second, for all readers together."""
        listed = list(shards(self._kinesis, self._stream))
        records: list[StreamRecord] = []
        behind = 0.0
        known, self._iterators = self._iterators, {}
        iterators = {}
        for shard in listed:
            shard_id = shard["ShardId"]
            iterator = known[shard_id] if shard_id in known else self._iterator(shard_id)
            if iterator:
                answer = self._kinesis.get_records(ShardIterator=iterator, Limit=RECORDS_PER_READ)
                iterator = answer.get("NextShardIterator", "")
                records += [record_of(shard_id, record) for record in answer["Records"]]
                behind = max(behind, answer["MillisBehindLatest"] / 1000)
            iterators[shard_id] = iterator
        self._iterators = iterators
        if records:
            self._since = max(record.arrived_at for record in records) - 1
        is_open = ["EndingSequenceNumber" not in s["SequenceNumberRange"] for s in listed]
        with self._hub.pipeline() as pipeline:
            pipeline.figures.shards = sum(is_open)
            pipeline.figures.unread_seconds = behind
            pipeline.arrived(records)

    def _iterator(self, shard_id: str) -> str:
        return self._kinesis.get_shard_iterator(
            StreamName=self._stream,
            ShardId=shard_id,
            ShardIteratorType="AT_TIMESTAMP",
            Timestamp=datetime.fromtimestamp(self._since, UTC),
        )["ShardIterator"]
