"""The calls of Kinesis that a pipe makes, on one stream."""

from __future__ import annotations

import base64
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from soak.answers import Answer, Request, refusal
from soak.stream import Put, Shard, Stream

READS_PER_SECOND = 5
"""That a shard allows, to all its readers together.
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html"""

SHARDS_PER_PAGE = 3
"""Few, so that listing them takes pages."""


class Kinesis:
    """Answers for `stream`. An iterator is a shard and a place in it."""

    def __init__(self, stream: Stream, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._reads: dict[str, deque[float]] = defaultdict(deque)
        self.refused = 0

    def answer(self, request: Request) -> Answer:
        arguments = request.arguments
        match request.operation:
            case "DescribeStreamSummary":
                return Answer(
                    {"StreamDescriptionSummary": {"StreamCreationTimestamp": self._stream.created}}
                )
            case "ListShards":
                return self._shards(int(arguments.get("NextToken", 0)))
            case "GetShardIterator":
                return self._iterator(arguments)
            case "GetRecords":
                return self._records(arguments["ShardIterator"], arguments["Limit"])
        return refusal(400, "UnknownOperationException")

    def _shards(self, start: int) -> Answer:
        shards = self._stream.shards()
        end = start + SHARDS_PER_PAGE
        page: dict[str, Any] = {"Shards": [_shard(shard) for shard in shards[start:end]]}
        return Answer(page | ({"NextToken": str(end)} if end < len(shards) else {}))

    def _iterator(self, arguments: Any) -> Answer:
        shard_id, place = arguments["ShardId"], 0
        match arguments["ShardIteratorType"]:
            case "TRIM_HORIZON":
                pass
            case "AFTER_SEQUENCE_NUMBER":
                try:
                    number = int(arguments["StartingSequenceNumber"])
                    place = self._stream.place_after(shard_id, number)
                except ValueError:
                    return refusal(400, "InvalidArgumentException")
            case _:
                return refusal(400, "InvalidArgumentException")
        return Answer({"ShardIterator": f"{shard_id}/{place}"})

    def _records(self, iterator: str, limit: int) -> Answer:
        shard_id, _, place = iterator.partition("/")
        if not self._may_read(shard_id):
            return refusal(400, "ProvisionedThroughputExceededException")
        read = self._stream.read(shard_id, int(place), limit)
        page: dict[str, Any] = {
            "Records": [_record(record) for record in read.records],
            "MillisBehindLatest": int(read.behind * 1000),
        }
        return Answer(page | ({} if read.next is None else _next(shard_id, read.next)))

    def _may_read(self, shard_id: str) -> bool:
        with self._lock:
            now = self._monotonic()
            reads = self._reads[shard_id]
            while reads and reads[0] <= now - 1:
                reads.popleft()
            if len(reads) >= READS_PER_SECOND:
                self.refused += 1
                return False
            reads.append(now)
            return True


def _next(shard_id: str, place: int) -> dict[str, str]:
    return {"NextShardIterator": f"{shard_id}/{place}"}


def _shard(shard: Shard) -> dict[str, str]:
    names = ("ParentShardId", "AdjacentParentShardId")
    return {"ShardId": shard.id} | dict(zip(names, shard.parents, strict=False))


def _record(record: Put) -> dict[str, Any]:
    return {
        "SequenceNumber": str(record.number),
        "PartitionKey": record.key,
        "Data": base64.b64encode(record.data).decode(),
        "ApproximateArrivalTimestamp": record.arrived,
    }
