"""The limit: the calls that a pipe has to make, alone, one after the other for each shard."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.pipes.calls import Calls
from bench.pipes.scale import Work
from bench.pipes.stand import Stand
from bench.pipes.streams import PAGE, next_iterator, oldest, records
from bench.pipes.targets import Target


@dataclass(frozen=True)
class ShardCalls:
    """Those for one shard: `pages` of it are read, and then each of `requests` is made."""

    calls: Calls
    target: Target
    stream: str
    shard: int
    pages: int
    requests: list[bytes]

    def make(self) -> None:
        iterator = oldest(self.calls, self.stream, self.shard)
        for _ in range(self.pages):
            page = self.calls.kinesis_unread("GetRecords", ShardIterator=iterator, Limit=PAGE)
            iterator = next_iterator(page)
        for request in self.requests:
            self.target.take(self.calls, request)


def prepare(stand: Stand, stream: str, work: Work, target: Target) -> list[ShardCalls]:
    """All that can be done beforehand, so that only the emulator has something to do then."""
    prepared = []
    for shard in range(work.shards):
        calls = stand.calls()
        found = records(calls, stream, shard, work.records_of_shard)
        starts = range(0, len(found), work.batch)
        requests = [target.request(found[start : start + work.batch]) for start in starts]
        pages = -(-len(found) // PAGE)
        prepared.append(ShardCalls(calls, target, stream, shard, pages, requests))
    return prepared


def make(prepared: list[ShardCalls]) -> None:
    """All calls, the shards side by side."""
    with ThreadPoolExecutor(len(prepared)) as pool:
        for _ in pool.map(ShardCalls.make, prepared):
            pass
