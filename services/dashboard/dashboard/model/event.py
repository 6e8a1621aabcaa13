"""An event of the stream as the page tracks it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from inventory.event import (
    Event,
    InvalidEventError,
    ProductAdded,
    QuantityMoved,
    QuantitySet,
    parse_record,
)
from inventory_aws.shown import shown, shown_bytes
from inventory_aws.stream import Place, StreamRecord
from operations.verify.explain import RecordStatus

SHOWN_CHARACTERS = 160


@dataclass(slots=True)
class TrackedEvent:
    """Without a valid event in the record, `event` is None and `effect` says what is wrong.

    Times are in epoch seconds; without an outcome, `done_at` is 0.
    """

    place: Place
    arrived_at: float
    event: Event | None
    product_id: str | None
    text: str
    status: RecordStatus = RecordStatus.WAITING
    effect: str = ""
    done_at: float = 0.0

    @classmethod
    def of(cls, record: StreamRecord) -> Self:
        event, effect = None, ""
        try:
            event = parse_record(record.data, record.partition_key, record.sequence_number)
            product_id: str | None = event.product_id
            text = _text(event)
        except InvalidEventError as error:
            product_id, effect = error.product_id, str(error)
            text = shown_bytes(record.data[: SHOWN_CHARACTERS * 2])
        if len(text) > SHOWN_CHARACTERS:
            text = f"{text[:SHOWN_CHARACTERS]}…"
        return cls(record.place, record.arrived_at, event, product_id, text, effect=effect)


def _text(event: Event) -> str:
    match event:
        case ProductAdded():
            return shown(f"added {event.product_name}, quantity {event.quantity}")
        case QuantitySet():
            return f"quantity set to {event.quantity}"
        case QuantityMoved():
            return f"quantity changed by {event.change:+d}"
    return "removed"
