"""The table's stream, followed as it grows: when each event reached its row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

POLL_SECONDS = 0.008


class ArrivalTimes:
    """While it is entered, notes when each event id first appeared in a row of the table.

    The times (time.monotonic) are those at which the stream's reader saw it: a few milliseconds
    late, never early.
    """

    def __init__(self, tables: DynamoDBClient, streams: DynamoDBStreamsClient, table: str) -> None:
        self._streams = streams
        self._stream = tables.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._stopped = Event()
        self._thread = Thread(target=self._follow, name="table-stream", daemon=True)
        self.seen: dict[str, float] = {}

    def __enter__(self) -> ArrivalTimes:
        # The iterators are had before anything is put, so that nothing is put before them.
        self._iterators = list(self._latest())
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _latest(self) -> Iterator[str]:
        description = self._streams.describe_stream(StreamArn=self._stream)["StreamDescription"]
        for shard in description["Shards"]:
            if "EndingSequenceNumber" not in shard["SequenceNumberRange"]:
                yield self._streams.get_shard_iterator(
                    StreamArn=self._stream, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
                )["ShardIterator"]

    def _follow(self) -> None:
        while self._iterators and not self._stopped.wait(POLL_SECONDS):
            following = []
            for iterator in self._iterators:
                answer = self._streams.get_records(ShardIterator=iterator)
                now = time.monotonic()
                for record in answer["Records"]:
                    for event_id in _event_ids(record):
                        self.seen.setdefault(event_id, now)
                if "NextShardIterator" in answer:
                    following.append(answer["NextShardIterator"])
            self._iterators = following


def _event_ids(record: Any) -> Iterator[str]:
    remembered = record["dynamodb"].get("NewImage", {}).get("recent_event_ids", {}).get("L", ())
    for event_id in remembered:
        yield event_id["S"]
