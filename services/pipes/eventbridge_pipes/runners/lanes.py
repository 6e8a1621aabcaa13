"""The lanes of a shard: what shares a partition key keeps its order, the rest goes side by side."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from eventbridge_pipes.record import Record


def lane_of(partition_key: str, lanes: int) -> int:
    """The lane of a partition key, counted from 0: always the same among as many lanes."""
    return zlib.crc32(partition_key.encode()) % lanes


def by_lane(records: Sequence[Record], lanes: int) -> list[Sequence[Record]]:
    """The records of each lane, in their order."""
    if lanes == 1:
        return [records]
    shares: list[list[Record]] = [[] for _ in range(lanes)]
    for record in records:
        shares[lane_of(record.partition_key, lanes)].append(record)
    return list(shares)
