"""What the Kinesis of MiniStack lets go of when it is too old: records, closed shards, iterators.

As it comes, each call looks at every record of its stream and at every iterator of the last five
minutes: a stream that holds many records, or is read often, grows slow. Both are kept in the order
in which they came, so here a call looks at the oldest ones. Closed shards are ours, see
`resharding`.
"""

from __future__ import annotations

import time
from typing import Any

from ministack.services import kinesis

from embedded.ministack_fixes.resharding import CLOSED_AT


def expire_the_oldest_only() -> None:
    """Put it right in the modules of this process: to be called before MiniStack serves."""
    kinesis._expire_records = expire_records
    kinesis._expire_iterators = expire_iterators


def expire_records(stream: dict[str, Any]) -> None:
    """Let go of records that are too old, and of closed shards that had no others."""
    oldest = time.time() - stream["RetentionPeriodHours"] * 3600
    for shard_id, shard in list(stream["shards"].items()):
        records = shard["records"]
        if records and records[0]["ApproximateArrivalTimestamp"] < oldest:
            shard["records"] = [r for r in records if r["ApproximateArrivalTimestamp"] >= oldest]
        if shard.get(CLOSED_AT, oldest) < oldest:
            del stream["shards"][shard_id]


def expire_iterators() -> None:
    """Let go of those that are too old; they are kept in the order in which they were made."""
    iterators = kinesis._shard_iterators._data
    oldest = time.time() - kinesis.ITERATOR_EXPIRY_SECONDS
    while first := next(iter(iterators.items()), None):
        token, state = first
        if state["created_at"] >= oldest:
            return
        del iterators[token]
