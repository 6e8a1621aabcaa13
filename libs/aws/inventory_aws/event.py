"""One event on its way to the stream: the bytes of the record and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

EVENT_TYPES = ("product_added", "product_removed", "product_quantity_changed")


@dataclass(frozen=True, slots=True)
class Event:
    """A Kinesis record to be.

    `payload` is sent byte for byte, every time it is sent. `kind` is the event type, the way in
    which the event is broken when `invalid` (deliberately broken), or `other` for an event from
    elsewhere of an unknown type. `event_id` is None when the payload has none that can be read.
    """

    payload: bytes
    partition_key: str
    event_id: str | None
    kind: str
    invalid: bool = False

    @property
    def size(self) -> int:
        """Bytes that count against the limits of Kinesis: those of the data and of the key."""
        return len(self.payload) + len(self.partition_key.encode())
