"""Streams with the same records in every run, and what reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.pipes.servers import ROLE, Calls, Servers, arn
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources.kinesis import record_maker

PUT_AT_ONCE = 500
PAGE = 10_000
HASH_KEYS = 2**128


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


def create(servers: Servers, name: str, shards: int) -> None:
    kinesis = servers.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)


@contextmanager
def stream(servers: Servers, name: str, shards: int) -> Iterator[None]:
    """A stream that is deleted afterwards: what a MiniStack holds makes its calls slower."""
    create(servers, name, shards)
    yield
    servers.client("kinesis").delete_stream(StreamName=name)


def fill(servers: Servers, name: str, records: int, shards: int) -> None:
    """Put the records, the same number to each shard."""
    kinesis = servers.client("kinesis")
    for start in range(0, records, PUT_AT_ONCE):
        numbers = range(start, min(start + PUT_AT_ONCE, records))
        answer = kinesis.put_records(
            StreamName=name, Records=[entry(n, n % shards, shards) for n in numbers]
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


def record_maker_of(name: str, shard: int) -> Callable[[Any], Record]:
    """Return the function that makes the records of a shard as a pipe does."""
    return record_maker(Arn.parse(stream_arn(name)), shard_id(shard), ROLE)


def records(calls: Calls, name: str, shard: int, count: int) -> list[Record]:
    """Return the first `count` records of a shard, as a pipe makes them."""
    record_of = record_maker_of(name, shard)
    found: list[Record] = []
    iterator = oldest(calls, name, shard)
    while len(found) < count:
        page = calls.kinesis("GetRecords", ShardIterator=iterator, Limit=PAGE)
        found += [record_of(raw) for raw in page["Records"]]
        iterator = page["NextShardIterator"]
    return found


@contextmanager
def pipe(servers: Servers, stream: str, target: str, batch: int) -> Iterator[Callable[[], None]]:
    """A stopped pipe, and the function that starts it. It is deleted afterwards."""
    name = f"{stream}-pipe"
    servers.create_pipe(name, stream_arn(stream), target, batch, state="STOPPED")
    servers.wait_for_pipe(name, "STOPPED")
    client = servers.client("pipes")
    yield lambda: client.start_pipe(Name=name)
    client.delete_pipe(Name=name)
    servers.wait_for_pipe(name, None)


@contextmanager
def mapping(servers: Servers, stream: str, function: str, batch: int) -> Iterator[None]:
    """MiniStack's own event source mapping. It is deleted afterwards."""
    client = servers.client("lambda")
    answer = client.create_event_source_mapping(
        EventSourceArn=stream_arn(stream),
        FunctionName=function,
        StartingPosition="TRIM_HORIZON",
        BatchSize=batch,
    )
    yield
    client.delete_event_source_mapping(UUID=answer["UUID"])
