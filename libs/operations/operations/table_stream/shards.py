"""Which shards of a stream may be read now, and which stream comes after which. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

LABEL = "/stream/"
"""What stands before the label of a stream, the time of its making, in its ARN."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as DescribeStream has it; `closed` when nothing is added to it any more."""

    id: str
    parent: str | None = None
    closed: bool = False


def readable(
    shards: Iterable[Shard], finished: Collection[str], reading: Collection[str]
) -> list[str]:
    """The shards to read: not finished, and their parents are. So the changes of an item stay in
    their order.

    A parent that is no longer listed is past its retention, unless it is still being read.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
    """
    listed = list(shards)
    ahead = ({shard.id for shard in listed} | set(reading)) - set(finished)
    due = [shard.id for shard in listed if shard.id in ahead and shard.parent not in ahead]
    return [*due, *(each for each in reading if each in ahead and each not in due)]


def next_stream(streams: Iterable[str], current: str | None) -> str | None:
    """Of a table's streams, by ARN, the one made after `current`; the first one after None."""
    later = [arn for arn in streams if current is None or label(arn) > label(current)]
    return min(later, key=label, default=None)


def label(stream: str) -> str:
    """When the stream was made, to the millisecond, as a text that sorts."""
    return stream.rpartition(LABEL)[2]


def table_of(stream: str) -> str:
    """The ARN of the stream's table."""
    return stream.rpartition(LABEL)[0]
