"""Where in a shard reading starts, and how Kinesis is asked for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.sources.kinds import SourceKind, source_kind


@dataclass(frozen=True)
class Position:
    """After a sequence number, else at a time (seconds since the epoch), else the oldest record."""

    after: str | None = None
    at: float | None = None

    def __str__(self) -> str:
        if self.after is not None:
            return f"the record after {self.after}"
        if self.at is not None:
            return f"what arrived since {datetime.fromtimestamp(self.at, UTC).isoformat()}"
        return "the oldest record"


OLDEST = Position()


_STEPS_A_SECOND = {SourceKind.KINESIS: 1000, SourceKind.DYNAMODB: 1}
"""How finely a service dates its records: to the millisecond, or rounded down to the second."""


def starting_position(pipe: Pipe, now: float) -> Position:
    """The position that the pipe's starting position means at the moment of its first start.

    LATEST becomes that moment: "the newest record" would be another one after a restart, and
    what came in between would be lost. It is rounded down as the service's own times are, so
    that the pipe may begin up to a second early at a table's stream, and never late. A queue has
    no positions: what is in it is due.
    """
    if not source_kind(pipe).is_stream:
        return OLDEST
    match pipe.stream.starting_position:
        case "TRIM_HORIZON":
            return OLDEST
        case "LATEST":
            steps = _STEPS_A_SECOND[source_kind(pipe)]
            return Position(at=math.floor(now * steps) / steps)
        case "AT_TIMESTAMP":
            return Position(at=pipe.stream.starting_timestamp)
        case unknown:
            raise ValueError(f"unknown starting position {unknown!r}")


def iterator_arguments(position: Position) -> dict[str, Any]:
    """What GetShardIterator is given."""
    if position.after is not None:
        return {
            "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
            "StartingSequenceNumber": position.after,
        }
    if position.at is not None:
        return {
            "ShardIteratorType": "AT_TIMESTAMP",
            "Timestamp": datetime.fromtimestamp(position.at, UTC),
        }
    return {"ShardIteratorType": "TRIM_HORIZON"}
