"""Records per second through a pipe, beside the emulator's own calls for the same work."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from bench.pipes import streams
from bench.pipes.servers import Calls, Servers
from bench.pipes.streams import PAGE, oldest
from bench.pipes.targets import Function, Target, rate

NEXT_ITERATOR = re.compile(rb'"NextShardIterator": ?"([^"]+)"')


@dataclass(frozen=True)
class Work:
    """Records that are on a stream before anybody reads it."""

    shards: int
    batch: int
    batches_of_shard: int

    @property
    def records_of_shard(self) -> int:
        return self.batch * self.batches_of_shard

    @property
    def records(self) -> int:
        return self.shards * self.records_of_shard


@dataclass(frozen=True)
class Throughput:
    """In records per second. `mapping` is MiniStack's event source mapping, if it was measured."""

    pipe: float
    alone: float
    mapping: float | None = None

    @property
    def share(self) -> float:
        return self.pipe / self.alone


def measure(servers: Servers, work: Work, target: Target) -> Throughput:
    """Everything on one stream, one after the other."""
    name = f"bench-{work.shards}-{work.batch}"
    with streams.stream(servers, name, work.shards):
        streams.fill(servers, name, work.records, work.shards)
        alone = _of_calls(servers, name, work, target)
        with streams.pipe(servers, name, target.arn, work.batch) as start:
            target.clear()
            begun = time.time()
            start()
            through_pipe = rate(target.arrivals(work.records), begun)
        mapped = None
        if isinstance(target, Function):
            target.clear()
            # From its first arrival on: it looks at its streams once a second.
            with streams.mapping(servers, name, target.NAME, work.batch):
                mapped = rate(target.arrivals(work.records))
    return Throughput(through_pipe, alone, mapped)


def _of_calls(servers: Servers, name: str, work: Work, target: Target) -> float:
    """The limit: the calls that a pipe has to make, alone, one after the other for each shard.

    From the first call on: the iterators, the pages, the target.
    """
    prepared = [_shard_calls(servers.calls(), name, n, work, target) for n in range(work.shards)]
    target.clear()
    with ThreadPoolExecutor(len(prepared)) as pool:
        begun = time.time()
        made = [pool.submit(call) for call in prepared]
        arrivals = target.arrivals(work.records)
        for each in made:
            each.result()
    return rate(arrivals, begun)


def _shard_calls(
    calls: Calls, name: str, shard: int, work: Work, target: Target
) -> Callable[[], None]:
    """Prepare all that can be, so that later only the emulator has something to do."""
    found = streams.records(calls, name, shard, work.records_of_shard)
    starts = range(0, len(found), work.batch)
    requests = [target.request(found[start : start + work.batch]) for start in starts]
    return partial(_make, calls, name, shard, -(-len(found) // PAGE), requests, target)


def _make(
    calls: Calls, name: str, shard: int, pages: int, requests: list[bytes], target: Target
) -> None:
    iterator = oldest(calls, name, shard)
    for _ in range(pages):
        page = calls.kinesis_unread("GetRecords", ShardIterator=iterator, Limit=PAGE)
        found = NEXT_ITERATOR.search(page)
        assert found
        iterator = found[1].decode()
    for request in requests:
        target.take(calls, request)
