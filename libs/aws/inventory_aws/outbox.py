"""Choose the events of the next PutRecords call, so that none overtakes another of its product.

Events of one product have the same partition key, so they are in one shard, and must be accepted in
the order in which they were taken. But AWS says of PutRecords that "a single record failure does
not stop the processing of subsequent records. As a result, PutRecords doesn't guarantee the
ordering of records"
(https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html). If a call has two
events of a product, the second can be accepted and the first refused, and no retry repairs that.
Hence the rule:

    A call has at most one record per partition key, the oldest that is not yet accepted.
    A call starts only after the call before it was answered or given up.

This costs no throughput as long as there are many products: `choose` skips later events of a
product and looks further down the window.

Kinesis may have accepted the records of a call that got no response. They are sent again before
newer events of their products, with the same event id, by which the function knows the copy.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

EVENT_TYPES = ("product_added", "product_removed", "product_quantity_changed")

MEBIBYTE = 1024 * 1024
# AWS takes 10 MiB in newer streams; a stream's own default, and the emulators, stay at 1 MiB.
MAX_RECORD_BYTES = MEBIBYTE
MAX_KEY_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class Event:
    """An event on its way to the stream. Its bytes stay the same, however often it is sent.

    `kind` is the event type, or how the event is broken if it is deliberately `invalid`, or `other`
    for an unknown type. `event_id` is None if the payload has none that can be read.
    """

    payload: bytes
    partition_key: str
    event_id: str | None
    kind: str
    invalid: bool = False

    @property
    def size(self) -> int:
        """The bytes that count against Kinesis's quotas: those of the data and of the key."""
        return len(self.payload) + len(self.partition_key.encode())


@dataclass(frozen=True)
class Limits:
    """Limits of one call: records, and bytes of data and keys. `window` is how many events may be
    taken and not yet accepted."""

    records: int
    bytes: int
    window: int


BATCH = Limits(records=500, bytes=5 * MEBIBYTE, window=2000)


def choose(pending: Sequence[Event], limits: Limits) -> list[int]:
    """The places in `pending` (oldest first) of the events of the next call, rising.

    Each is the first of its partition key. The first place is always among them.
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
    """The events that are not accepted, in their order."""
    done = frozenset(accepted)
    return [event for place, event in enumerate(pending) if place not in done]
