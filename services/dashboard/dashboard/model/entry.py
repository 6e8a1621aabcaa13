"""An event of the stream as the page follows it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from inventory.event import (
    Event,
    InvalidEventError,
    ProductAdded,
    ProductRemoved,
    QuantityMoved,
    QuantitySet,
    parse_record,
)
from inventory_aws.shown import shown, shown_bytes
from inventory_aws.stream import Place, StreamRecord
from operations.verify.explain import RecordStatus

SHOWN_CHARACTERS = 160


@dataclass(slots=True)
class Entry:
    """`event` is None when the record holds none; `what` is what it says, in words.

    `effect` is what it did, once that is known; times are in epoch seconds.
    """

    place: Place
    arrived_at: float
    event: Event | None
    kind: str
    what: str
    product_id: str | None
    event_id: str | None
    fate: RecordStatus = RecordStatus.WAITING
    effect: str = ""
    done_at: float | None = None

    @classmethod
    def of(cls, record: StreamRecord) -> Entry:
        try:
            event = parse_record(record.data, record.partition_key, record.sequence_number)
        except InvalidEventError as error:
            what = bounded(shown_bytes(record.data[: SHOWN_CHARACTERS * 2]))
            return cls(
                record.place,
                record.arrived_at,
                None,
                _claimed_kind(record.data),
                what,
                error.product_id,
                error.event_id,
                effect=str(error),
            )
        kind, what = _told(event)
        return cls(
            record.place, record.arrived_at, event, kind, what, event.product_id, event.event_id
        )


def bounded(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _told(event: Event) -> tuple[str, str]:
    match event:
        case ProductAdded():
            return "added", bounded(f"{shown(event.product_name)}, quantity {event.quantity}")
        case ProductRemoved():
            return "removed", ""
        case QuantitySet():
            return "quantity set", f"to {event.quantity}"
        case QuantityMoved():
            return "quantity changed", f"by {event.change:+d}"
    raise TypeError(f"not an event: {event!r}")


def _claimed_kind(data: bytes) -> str:
    """What an invalid event calls itself, if that can be read."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return "unreadable"
    kind = document.get("event_type") if isinstance(document, dict) else None
    return bounded(shown(kind)) if isinstance(kind, str) else "no type"
