"""The table: read once, then followed by its stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dashboard.model.fold import RowChange
from dashboard.sources.hub import Hub
from inventory.items import row_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

MOST_PAGES = 20
"""Of one shard in one round."""


class TableSource:
    """One round a call. After a failure it begins anew, with the whole table."""

    def __init__(
        self, hub: Hub, dynamodb: DynamoDBClient, streams: DynamoDBStreamsClient, table: str
    ) -> None:
        self._hub = hub
        self._dynamodb = dynamodb
        self._streams = streams
        self._table = table
        self._arn: str | None = None
        self._iterators: dict[str, str] = {}
        self._known: set[str] = set()

    def ask(self) -> None:
        try:
            if self._arn is None:
                self._begin()
            changes = [change for shard in list(self._iterators) for change in self._read(shard)]
        except Exception:
            self._arn = None
            raise
        if changes:
            with self._hub.pipeline() as pipeline:
                pipeline.changed(changes)

    def _begin(self) -> None:
        """Its place in the stream is taken before the table is read, so that nothing is missed."""
        answer = self._dynamodb.describe_table(TableName=self._table)["Table"]
        arn = answer["LatestStreamArn"]
        self._known, self._iterators = set(), {}
        self._find_shards(arn, "LATEST")
        began = time.time()
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table)
        rows = [row_of(item) for page in pages for item in page["Items"]]
        with self._hub.pipeline() as pipeline:
            pipeline.scanned(rows, began)
        self._arn = arn

    def _find_shards(self, arn: str, where: Any) -> None:
        asked: dict[str, Any] = {"StreamArn": arn}
        while True:
            stream = self._streams.describe_stream(**asked)["StreamDescription"]
            for shard in stream["Shards"]:
                if shard["ShardId"] not in self._known:
                    self._known.add(shard["ShardId"])
                    self._iterators[shard["ShardId"]] = self._streams.get_shard_iterator(
                        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType=where
                    )["ShardIterator"]
            if not stream.get("LastEvaluatedShardId"):
                return
            asked["ExclusiveStartShardId"] = stream["LastEvaluatedShardId"]

    def _read(self, shard_id: str) -> Iterator[RowChange]:
        for _ in range(MOST_PAGES):
            answer = self._streams.get_records(ShardIterator=self._iterators[shard_id])
            for record in answer["Records"]:
                yield _change(record["dynamodb"], time.time())
            following = answer.get("NextShardIterator")
            if following is None:  # a closed shard, read to its end: others go on from there
                del self._iterators[shard_id]
                self._find_shards(self._arn or "", "TRIM_HORIZON")
                return
            self._iterators[shard_id] = following
            if not answer["Records"]:
                return


def _change(record: Any, read_at: float) -> RowChange:
    """The record's own time will not do: LocalStack cuts it to the minute."""
    old, new = record.get("OldImage"), record.get("NewImage")
    return RowChange(
        product_id=record["Keys"]["product_id"]["S"],
        before=row_of(old) if old else None,
        after=row_of(new) if new else None,
        at=read_at,
    )
