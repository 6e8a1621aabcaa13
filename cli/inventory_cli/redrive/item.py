"""One failed event, from whichever queue, and the id that it goes back to the stream with. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from inventory.event import InvalidEventError, parse

MAX_EVENT_ID_CHARACTERS = 128
"""What the contract takes."""


class Origin(StrEnum):
    """The queue that a failed event lies in."""

    REJECTED = "rejected"
    DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True, slots=True)
class Item:
    """A record that did not get its way.

    `failed_at` is in epoch seconds. `event_id` and `product_id` are what the payload says of
    itself, where that can be read. Without a `payload`, `lost` says why there is none; a dead
    letter whose records are lost is one item, under the first of them.
    """

    origin: Origin
    shard_id: str
    sequence_number: int
    failed_at: float
    reason: str
    event_id: str | None
    product_id: str | None
    payload: bytes | None
    lost: str | None = None

    @property
    def name(self) -> str:
        """What users call it."""
        return name_of(self.shard_id, self.sequence_number)

    @property
    def redrive_id(self) -> str:
        """The event id it is put again with: its own, or else one made of its place.

        Either is the same each time, so the function recognises a second put.
        """
        if self.event_id is not None and _is_event_id(self.event_id):
            return self.event_id
        return f"redrive-{self.shard_id}-{self.sequence_number}"


def name_of(shard_id: str, sequence_number: int | str) -> str:
    """The name of a place on the stream: the number of the shard, and the sequence number."""
    return f"{shard_id.rpartition('-')[2].lstrip('0') or '0'}-{int(sequence_number)}"


def claims(payload: bytes) -> tuple[str | None, str | None]:
    """The event id and the product id that a payload, valid or not, says it has."""
    try:
        event = parse(payload, 0)
    except InvalidEventError as error:
        return error.event_id, error.product_id
    return event.event_id, event.product_id


def carrying(event_id: str, payload: bytes) -> bytes:
    """`payload`, which is a valid event, under this id: as it is if it has it already."""
    document = json.loads(payload, parse_float=_exact)
    if document.get("event_id") == event_id:
        return payload
    return json.dumps({**document, "event_id": event_id}).encode()


def choose(
    items: Iterable[Item],
    names: Collection[str] = (),
    product_id: str | None = None,
    reason: str | None = None,
) -> list[Item]:
    """The items that every given criterion fits: a name, the product, a part of the reason."""
    return [
        item
        for item in items
        if (not names or item.name in names)
        and (product_id is None or item.product_id == product_id)
        and (reason is None or reason.casefold() in item.reason.casefold())
    ]


def unknown(names: Sequence[str], items: Iterable[Item]) -> list[str]:
    """The names that no item has."""
    known = {item.name for item in items}
    return [name for name in names if name not in known]


def _is_event_id(text: str) -> bool:
    surrogates = any("\ud800" <= c <= "\udfff" for c in text)
    return 1 <= len(text) <= MAX_EVENT_ID_CHARACTERS and not surrogates


def _exact(literal: str) -> int | float:
    """The contract takes 15.0 and 1e30 for whole numbers; as floats they could change."""
    number = Decimal(literal)
    if number.adjusted() <= 40 and number == number.to_integral_value():
        return int(number)
    return float(literal)
