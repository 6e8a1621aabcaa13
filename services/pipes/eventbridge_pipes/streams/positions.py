"""Where in a shard reading starts, and how Kinesis is asked for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eventbridge_pipes.model import StreamParameters


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


def starting_position(parameters: StreamParameters, now: float) -> Position:
    """The position that the pipe's starting position means at the moment of its first start.

    LATEST becomes that moment: "the newest record" would be another one after a restart, and
    what came in between would be lost. Kinesis dates records to the millisecond, hence the floor.
    """
    match parameters.starting_position:
        case "TRIM_HORIZON":
            return OLDEST
        case "LATEST":
            return Position(at=math.floor(now * 1000) / 1000)
        case "AT_TIMESTAMP":
            return Position(at=parameters.starting_timestamp)
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
