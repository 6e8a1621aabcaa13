"""Which shards of a stream may be read now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """A shard as ListShards has it: a child of a split has one parent, of a merge two."""

    id: str
    parents: tuple[str, ...] = ()


def shards_to_read(
    shards: Iterable[Shard], finished: Collection[str], reading: Collection[str]
) -> list[Shard]:
    """The shards to start reading: neither done with nor being read, their parents done with.

    A parent that the stream no longer lists is past its retention, and so done with, unless
    something is still reading it: what that has in hand goes first, so that the order of each
    partition key holds across a reshard.
    """
    listed = list(shards)
    unread = {shard.id for shard in listed} - set(finished)
    waiting_for = unread | set(reading)
    return [
        shard
        for shard in listed
        if shard.id in unread and shard.id not in reading and waiting_for.isdisjoint(shard.parents)
    ]
