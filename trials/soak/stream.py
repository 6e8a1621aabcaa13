"""A stream that keeps to the rules of Kinesis where it is split and merged.

The emulators at hand do not: MiniStack drops a shard that is split or merged, with what is in it;
moto goes on writing to it, and it never ends. On Kinesis a closed shard stays to be read, its
reader is told where it ends, and what is put from then on is in its children.
https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
"""

from __future__ import annotations

import hashlib
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

HASH_KEYS = 2**128
FIRST_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898
"""Sequence numbers have 56 digits, as those of Kinesis do; the numbers of a child are all greater
than those of its parents."""


@dataclass(frozen=True)
class Put:
    """A record in the stream. `arrived` is in epoch seconds."""

    number: int
    shard: str
    key: str
    data: bytes
    arrived: float


@dataclass
class Shard:
    """`first` to `last` are its hash keys."""

    id: str
    first: int
    last: int
    parents: tuple[str, ...] = ()
    open: bool = True
    records: list[Put] = field(default_factory=list)


@dataclass(frozen=True)
class Read:
    """`next` is the place to read on from, None at the end of a closed shard."""

    records: list[Put]
    next: int | None
    behind: float


class Stream:
    """One stream. Places in a shard are counted from 0. Safe for threads."""

    def __init__(self, shards: int, clock: Callable[[], float] = time.time) -> None:
        self.created = clock()
        self.records: dict[int, Put] = {}
        self._clock = clock
        self._lock = threading.Lock()
        self._shards: dict[str, Shard] = {}
        step = HASH_KEYS // shards
        for i in range(shards):
            self._add(i * step, HASH_KEYS - 1 if i == shards - 1 else (i + 1) * step - 1)

    def put(self, key: str, data: bytes) -> Put:
        wanted = int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest())
        with self._lock:
            shard = next(s for s in self._open() if s.first <= wanted <= s.last)
            number = FIRST_NUMBER + len(self.records)
            record = Put(number, shard.id, key, data, self._clock())
            shard.records.append(record)
            self.records[number] = record
            return record

    def split(self, shard_id: str) -> None:
        with self._lock:
            parent = self._shards[shard_id]
            middle = (parent.first + parent.last + 1) // 2
            parent.open = False
            self._add(parent.first, middle - 1, parent.id)
            self._add(middle, parent.last, parent.id)

    def merge(self, shard_id: str, adjacent: str) -> None:
        with self._lock:
            parents = sorted(
                (self._shards[shard_id], self._shards[adjacent]), key=lambda shard: shard.first
            )
            for parent in parents:
                parent.open = False
            self._add(parents[0].first, parents[1].last, shard_id, adjacent)

    def shards(self) -> list[Shard]:
        with self._lock:
            return list(self._shards.values())

    def open_shards(self) -> list[Shard]:
        """In the order of their hash keys: neighbours may be merged."""
        with self._lock:
            return self._open()

    def place_after(self, shard_id: str, number: int) -> int:
        """The place behind a record. Raises ValueError when it is not in the shard."""
        with self._lock:
            records = self._shards[shard_id].records
            place = bisect_left(records, number, key=lambda record: record.number)
            if [record.number for record in records[place : place + 1]] != [number]:
                raise ValueError(f"{number} is not in {shard_id}")
            return place + 1

    def read(self, shard_id: str, place: int, limit: int) -> Read:
        with self._lock:
            shard = self._shards[shard_id]
            found = shard.records[place : place + limit]
            reached = place + len(found)
            left = shard.records[reached:][:1]
            ended = not shard.open and not left
            behind = self._clock() - left[0].arrived if left else 0.0
            return Read(found, None if ended else reached, behind)

    def _open(self) -> list[Shard]:
        return sorted((s for s in self._shards.values() if s.open), key=lambda shard: shard.first)

    def _add(self, first: int, last: int, *parents: str) -> None:
        shard_id = f"shardId-{len(self._shards):012d}"
        self._shards[shard_id] = Shard(shard_id, first, last, parents)
