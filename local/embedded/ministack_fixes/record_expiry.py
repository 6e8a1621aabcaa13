"""Kinesis calls are quick, even if the stream holds many records or is read often.

MiniStack 1.5.33: in `services/kinesis.py`, `_expire_records` looks at every record of the stream
when a record is put or read. `_expire_iterators` looks at every iterator of the last five minutes
at each call. Both are kept in the order in which they came, so here a call looks at the oldest
ones only. Closed shards expire too: see `resharding`.
AWS: the limits of a shard do not depend on how much it holds.
https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html

To report:
    Kinesis: each call takes time in proportion to the records and iterators that are kept

    With 200,000 records in the stream, PutRecord takes 20 ms instead of 3 ms, because each call
    copies the list of all records. Expected: the time does not depend on what the stream holds.
    To see it:
        kinesis.create_stream(StreamName="s", ShardCount=1)
        for _ in range(400):
            records = [{"Data": b"x", "PartitionKey": "p"}] * 500
            kinesis.put_records(StreamName="s", Records=records)  # slower and slower
    Proposed change: copy a shard's records only if the first one is too old, and delete iterators
    from the front of their dict until one is young enough.
"""

from __future__ import annotations

import time
from typing import Any

from ministack.services import kinesis

from embedded.ministack_fixes.resharding import CLOSED_AT


def apply() -> None:
    kinesis._expire_records = expire_records
    kinesis._expire_iterators = expire_iterators


def expire_records(stream: dict[str, Any]) -> None:
    """Delete records that are too old, and closed shards whose records are all too old."""
    oldest = time.time() - stream["RetentionPeriodHours"] * 3600
    for shard_id, shard in list(stream["shards"].items()):
        records = shard["records"]
        if records and records[0]["ApproximateArrivalTimestamp"] < oldest:
            shard["records"] = [r for r in records if r["ApproximateArrivalTimestamp"] >= oldest]
        if shard.get(CLOSED_AT, oldest) < oldest:
            del stream["shards"][shard_id]


def expire_iterators() -> None:
    """Delete iterators that are too old. They are kept in the order in which they were made."""
    iterators = kinesis._shard_iterators._data
    oldest = time.time() - kinesis.ITERATOR_EXPIRY_SECONDS
    while first := next(iter(iterators.items()), None):
        token, state = first
        if state["created_at"] >= oldest:
            return
        del iterators[token]
