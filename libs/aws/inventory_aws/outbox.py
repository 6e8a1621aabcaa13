"""What may go into the next PutRecords call, so that no event overtakes one of its own product.

Two events of one product share a partition key, hence a shard, and must be accepted in the order in
which they were taken. AWS says of PutRecords that "a single record failure does not stop the
processing of subsequent records. As a result, PutRecords doesn't guarantee the ordering of records"
(https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html). So with two events of
a product in one call the second can be accepted and the first refused: it has been overtaken, and
no resending repairs that. Hence the rule:

    a call holds at most one record per partition key, the oldest that is not yet accepted,
    and a call starts only after the one before it was answered or given up.

Every older event of that product is then accepted before this one is offered, whatever is refused,
in whichever order a call is processed. It costs no throughput as long as there are many products:
the choice skips later events of a product in the call and looks further down the window.

That a later call is also later on the shard rests on its starting after the answer to the earlier
one: PutRecords has no `SequenceNumberForOrdering` to demand it.

A call without an answer may have been taken all the same, or be taken late. Its records are sent
again before anything newer of their products; every copy carries the same event id, by which the
consumer knows it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from inventory_aws.event import Event

MEBIBYTE = 1024 * 1024
# AWS takes 10 MiB in newer streams; a stream's own default, and the emulators, stay at 1 MiB.
MAX_RECORD_BYTES = MEBIBYTE
MAX_KEY_CHARACTERS = 256


@dataclass(frozen=True)
class Limits:
    """Of one call: records, and bytes of data and keys. `window` is how many events may be taken
    and not yet accepted."""

    records: int
    bytes: int
    window: int


BATCH = Limits(records=500, bytes=5 * MEBIBYTE, window=2000)


def choose(pending: Sequence[Event], limits: Limits) -> list[int]:
    """The places in `pending` (oldest first) of the records of the next call, rising.

    Each is the first of its partition key. The first place is always among them, so the oldest
    event never starves.
    """
    chosen: list[int] = []
    keys: set[str] = set()
    size = 0
    for place, event in enumerate(pending):
        if event.partition_key in keys:
            continue
        size += event.size
        if len(chosen) == limits.records or (chosen and size > limits.bytes):
            break
        chosen.append(place)
        keys.add(event.partition_key)
    return chosen


def without(pending: Sequence[Event], accepted: Collection[int]) -> list[Event]:
    """What is still to be accepted, in its old order: a refused record keeps its place."""
    done = frozenset(accepted)
    return [event for place, event in enumerate(pending) if place not in done]
