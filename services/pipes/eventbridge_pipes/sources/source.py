"""What a stream offers to those who read it, whatever service it is of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from eventbridge_pipes.position import Position
from eventbridge_pipes.record import Record
from eventbridge_pipes.runners.shards import Shard


class SourceError(Exception):
    """The stream cannot be read at this moment; trying again may help."""


class ThrottledError(SourceError):
    """The shard is read more often than Kinesis allows."""


class ExpiredIteratorError(SourceError):
    """The iterator is too old, or the stream does not know it any more."""


class SourceNotFoundError(SourceError):
    """There is no such stream or shard."""


class PositionLostError(SourceError):
    """The stream does not know the sequence number that reading should go on after."""


@dataclass(frozen=True)
class Page:
    """What one read gave. `next_iterator` is None at the end of a closed shard.

    `behind`: there are more records to read right now.
    """

    records: list[Record]
    next_iterator: str | None
    behind: bool


class Stream(Protocol):
    """A stream, as the supervisor of a pipe sees it. Both raise SourceError."""

    def created(self) -> float:
        """When the stream was created, in epoch seconds: another time is another stream."""
        ...

    def shards(self) -> list[Shard]:
        """All shards that the stream still has, the closed ones too."""
        ...


class Asked(Protocol):
    """A page that was asked for: calling this waits for it, and raises what `page` does."""

    def __call__(self, patience: float | None = None) -> Page:
        """`patience` is how many seconds of silence to bear, if not the usual."""
        ...


class ShardReads(Protocol):
    """One shard, as its reader sees it. Both raise SourceError."""

    def iterator(self, position: Position) -> str:
        """Raises PositionLostError when the stream does not know the position."""
        ...

    def page(self, iterator: str, limit: int) -> Page:
        """At most `limit` records. Raises ExpiredIteratorError when a new iterator is needed."""
        ...

    def ask(self, iterator: str, limit: int) -> Asked:
        """Ask for a page, and do not wait for it: several shards may be asked at once."""
        ...


def in_order(members: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """`members` with those of `names` first; what AWS may add one day goes along behind."""
    return {name: members[name] for name in names if name in members} | dict(members)


def compact_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
