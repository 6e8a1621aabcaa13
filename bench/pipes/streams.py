"""Streams to read, with the same records in every run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.pipes.calls import Calls
from bench.pipes.scale import Work
from bench.pipes.stand import ROLE, Stand, arn
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources.kinesis import record_maker

PUT_AT_ONCE = 500
PAGE = 10_000
HASH_KEYS = 2**128

_NEXT_ITERATOR = re.compile(rb'"NextShardIterator": ?"([^"]+)"')


def data(number: int) -> bytes:
    """A record of 250 bytes of JSON."""
    record = {
        "id": f"{number:012d}",
        "type": "product_added",
        "product": {"product_id": f"P{number % 997:05d}", "quantity": number % 100},
        "note": "",
    }
    record["note"] = "x" * (250 - len(json.dumps(record)))
    return json.dumps(record).encode()


def create(stand: Stand, name: str, shards: int) -> None:
    kinesis = stand.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)


@contextmanager
def stream(stand: Stand, name: str, shards: int) -> Iterator[None]:
    """It is gone afterwards: what a MiniStack holds makes its calls slower."""
    create(stand, name, shards)
    yield
    stand.client("kinesis").delete_stream(StreamName=name)


def fill(stand: Stand, name: str, work: Work) -> None:
    """Put the records of `work`, the same number to each shard."""
    kinesis = stand.client("kinesis")
    for start in range(0, work.records, PUT_AT_ONCE):
        numbers = range(start, min(start + PUT_AT_ONCE, work.records))
        answer = kinesis.put_records(
            StreamName=name, Records=[entry(n, n % work.shards, work.shards) for n in numbers]
        )
        assert answer["FailedRecordCount"] == 0


def entry(number: int, shard: int, shards: int) -> dict[str, Any]:
    """An entry of PutRecords, for a shard of a stream that was never resharded."""
    middle = (2 * shard + 1) * HASH_KEYS // (2 * shards)
    return {"Data": data(number), "PartitionKey": f"{number}", "ExplicitHashKey": f"{middle}"}


def stream_arn(name: str) -> str:
    return arn("kinesis", f"stream/{name}")


def shard_id(shard: int) -> str:
    return f"shardId-{shard:012d}"


def oldest(calls: Calls, name: str, shard: int) -> str:
    """An iterator from the shard's first record on."""
    answer = calls.kinesis(
        "GetShardIterator",
        StreamName=name,
        ShardId=shard_id(shard),
        ShardIteratorType="TRIM_HORIZON",
    )
    iterator: str = answer["ShardIterator"]
    return iterator


def next_iterator(page: bytes) -> str:
    """That of an answer to GetRecords that nobody has read."""
    found = _NEXT_ITERATOR.search(page)
    assert found
    return found[1].decode()


def record_maker_of(name: str, shard: int) -> Callable[[Any], Record]:
    """What makes the records of a shard as a pipe does."""
    return record_maker(Arn.parse(stream_arn(name)), shard_id(shard), ROLE)


def records(calls: Calls, name: str, shard: int, count: int) -> list[Record]:
    """The first `count` records of a shard, as a pipe makes them."""
    record_of = record_maker_of(name, shard)
    found: list[Record] = []
    iterator = oldest(calls, name, shard)
    while len(found) < count:
        page = calls.kinesis("GetRecords", ShardIterator=iterator, Limit=PAGE)
        found += [record_of(raw) for raw in page["Records"]]
        iterator = page["NextShardIterator"]
    return found
