"""The Kinesis stream: what was put lately, and what is put now."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dashboard.sources.hub import Hub
from inventory_aws.stream import record_of, shards

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import GetRecordsOutputTypeDef

LOOK_BACK_SECONDS = 120.0
AT_ONCE = 2_000
SHARDS_EVERY = 10.0


class StreamSource:
    """One round a call: a read of each shard, which on AWS answers five a second to all readers.

    After a failure it begins anew, a little before what it has read last.
    """

    def __init__(self, hub: Hub, kinesis: KinesisClient, stream: str, now: float) -> None:
        self._hub = hub
        self._kinesis = kinesis
        self._stream = stream
        self._since = now - LOOK_BACK_SECONDS
        self._iterators: dict[str, str] = {}
        self._known: set[str] = set()
        self._looked_at = 0.0

    def ask(self) -> None:
        try:
            if time.monotonic() - self._looked_at > SHARDS_EVERY:
                self._find_shards()
            answers = {shard_id: self._read(shard_id) for shard_id in list(self._iterators)}
        except Exception:
            self._known, self._iterators, self._looked_at = set(), {}, 0.0
            raise
        records = [
            record_of(of, each) for of, answer in answers.items() for each in answer["Records"]
        ]
        behind = [answer["MillisBehindLatest"] / 1000 for answer in answers.values()]
        if records:
            self._since = max(record.arrived_at for record in records) - 1
        with self._hub.pipeline() as pipeline:
            pipeline.figures.unread_seconds = max(behind, default=0.0)
            pipeline.arrived(records)

    def _find_shards(self) -> None:
        found = list(shards(self._kinesis, self._stream))
        for shard in found:
            if (shard_id := shard["ShardId"]) not in self._known:
                self._iterators[shard_id] = self._kinesis.get_shard_iterator(
                    StreamName=self._stream,
                    ShardId=shard_id,
                    ShardIteratorType="AT_TIMESTAMP",
                    Timestamp=datetime.fromtimestamp(self._since, UTC),
                )["ShardIterator"]
        self._known = {shard["ShardId"] for shard in found}
        self._looked_at = time.monotonic()
        is_open = ["EndingSequenceNumber" not in s["SequenceNumberRange"] for s in found]
        with self._hub.pipeline() as pipeline:
            pipeline.figures.shards = sum(is_open)

    def _read(self, shard_id: str) -> GetRecordsOutputTypeDef:
        answer = self._kinesis.get_records(ShardIterator=self._iterators[shard_id], Limit=AT_ONCE)
        if following := answer.get("NextShardIterator"):
            self._iterators[shard_id] = following
        else:  # closed, and read to its end: its children are looked for at once
            del self._iterators[shard_id]
            self._looked_at = 0.0
        return answer
