"""Kinesis, as far as it decides anything: which shard a key is in, how much a shard takes, what a
reshard closes and opens. Shards and parents are told as ListShards tells them."""

from __future__ import annotations

import hashlib
import itertools
from bisect import bisect_right
from dataclasses import dataclass, field

from bench.simulation.scenario import Put
from eventbridge_pipes.record import Shard

KEYS = 2**128
SHARD_RECORDS = 1_000
"""Records a second that a shard takes, and, at once, after it was quiet."""


@dataclass
class SimulatedShard:
    """`records` are in order; each is a put and when it arrived."""

    shard: Shard
    first: int
    end: int
    records: list[tuple[float, Put]] = field(default_factory=list)
    closed: bool = False
    full_until: float = 0.0


class Stream:
    def __init__(self, shards: int) -> None:
        self.all: dict[str, SimulatedShard] = {}
        self.refused = 0
        self._hashes: dict[int, int] = {}
        bounds = [KEYS * place // shards for place in range(shards + 1)]
        self._open = [self._make(*pair, ()) for pair in itertools.pairwise(bounds)]

    @property
    def listed(self) -> list[Shard]:
        return [each.shard for each in self.all.values()]

    def put(self, put: Put) -> None:
        """A producer that is refused tries until the record is taken; what is behind it waits."""
        shard = self._open[self._place(put.product)]
        arrived = max(put.at, shard.full_until - 1.0)
        self.refused += arrived > put.at
        shard.full_until = max(shard.full_until, arrived) + 1 / SHARD_RECORDS
        shard.records.append((arrived, put))

    def reshard(self, hottest: int, count: int) -> list[str]:
        """Split the shard of `hottest` and some others, merge as many pairs; the new ones' ids."""
        before = list(self._open)
        hot = self._place(hottest)
        step = max(4, len(before) // max(1, count))
        splits = {hot} | {(hot + place * step) % len(before) for place in range(1, count)}
        merges = {
            place
            for place in ((split + 2) % len(before) for split in sorted(splits))
            if place + 1 < len(before) and not {place, place + 1} & splits
        }
        after: list[SimulatedShard] = []
        made = []
        place = 0
        while place < len(before):
            old = before[place]
            if place in splits:
                middle = (old.first + old.end) // 2
                old.closed = True
                born = [
                    self._make(old.first, middle, (old.shard.id,)),
                    self._make(middle, old.end, (old.shard.id,)),
                ]
            elif place in merges:
                other = before[place + 1]
                old.closed = other.closed = True
                born = [self._make(old.first, other.end, (old.shard.id, other.shard.id))]
                place += 1
            else:
                born = [old]
            made += [each.shard.id for each in born if each is not old]
            after += born
            place += 1
        self._open = after
        return made

    def _make(self, first: int, end: int, parents: tuple[str, ...]) -> SimulatedShard:
        shard = SimulatedShard(Shard(f"shardId-{len(self.all):012d}", parents), first, end)
        self.all[shard.shard.id] = shard
        return shard

    def _place(self, product: int) -> int:
        key = self._hashes.get(product)
        if key is None:
            digest = hashlib.md5(f"P{product}".encode(), usedforsecurity=False).digest()
            key = self._hashes[product] = int.from_bytes(digest, "big")
        return bisect_right(self._open, key, key=lambda shard: shard.first) - 1
