"""The messages that a pipe from a Kinesis stream writes about what it gave up on. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.stream import StreamRecord


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A stretch of a shard that the pipe gave up on: `count` records from `first` to `last`.

    Times are in seconds since the epoch; `condition` is AWS's word for why.
    """

    condition: str
    shard_id: str
    first: int
    last: int
    count: int
    given_up_at: float
    arrived_first: float

    def covers(self, record: StreamRecord) -> bool:
        return (
            record.shard_id == self.shard_id and self.first <= record.sequence_number <= self.last
        )


def parse_dead_letter(body: str) -> DeadLetter | None:
    """The stretch that a message's body tells of; None when it is no such message.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    """
    try:
        document = json.loads(body)
        return _dead_letter(document) if isinstance(document, dict) else None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        return None


def _dead_letter(message: dict[str, Any]) -> DeadLetter:
    batch = message["KinesisBatchInfo"]
    return DeadLetter(
        condition=str(message["context"]["condition"]),
        shard_id=str(batch["shardId"]),
        first=int(batch["startSequenceNumber"]),
        last=int(batch["endSequenceNumber"]),
        count=int(batch["batchSize"]),
        given_up_at=_epoch(message["timestamp"]),
        arrived_first=_epoch(batch["approximateArrivalOfFirstRecord"]),
    )


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
