"""When each record was done with, by the function's own clock."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping
from typing import Any


class HandlingTimes:
    """Learns from batch lines, in any order; knows records by shard and sequence number."""

    def __init__(self) -> None:
        self._batches: dict[str, list[tuple[int, float, int]]] = defaultdict(list)

    def add(self, batch: Mapping[str, Any]) -> None:
        """Take in a batch line. Of a batch that failed in part nobody can tell which part."""
        if batch["failed"]:
            return
        for shard, (first, last) in batch["shards"].items():
            insort(self._batches[shard], (int(last), batch["done_at"], int(first)))

    def first(self, shard: str) -> float:
        """Return when the first known batch of the shard was done with; it needs to have one."""
        return self._batches[shard][0][1]

    def of(self, shard: str, sequence_number: int) -> float | None:
        """Seconds since the epoch at which the record was done with; None if it is not known.

        Its row, if it changed one, was written a moment before.
        """
        batches = self._batches[shard]
        at = bisect_left(batches, (sequence_number,))
        if at == len(batches):
            return None
        _, done_at, first = batches[at]
        return done_at if first <= sequence_number else None
