"""Shards of a stream, and where in a shard reading starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Shard:
    """A shard as its stream lists it: a child of a split has one parent, of a merge two."""

    id: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Position:
    """After a sequence number, at a time (epoch seconds), after the newest record, or the oldest.

    The first of `after`, `at` and `latest` that is set counts; without any, it is the oldest.
    """

    after: str | None = None
    at: float | None = None
    latest: bool = False

    def __str__(self) -> str:
        if self.after is not None:
            return f"the record after {self.after}"
        if self.at is not None:
            return f"what arrived since {datetime.fromtimestamp(self.at, UTC).isoformat()}"
        return "the next new record" if self.latest else "the oldest record"


OLDEST = Position()
LATEST = Position(latest=True)
