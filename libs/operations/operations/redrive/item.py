"""One failed event, from whichever queue, and the id that it goes back to the stream with. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from inventory.stream import Place
from operations.failures.again import is_valid, redrive_id


class Origin(StrEnum):
    """The queue that a failed event lies in."""

    REJECTED = "rejected"
    DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True, slots=True)
class Item:
    """A record that did not get its way.

    `failed_at` is in epoch seconds. `event_id` and `product_id` are what the payload says of
    itself, where that can be read. Without a `payload`, `lost` says why there is none; a dead
    letter whose records are lost is one item, under the first of them. `ordered` is False if the
    record had another partition key than the product id: then its sequence number says nothing
    about its place among the product's events.
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
    ordered: bool = True

    @property
    def name(self) -> str:
        """What users call it."""
        return name_of(self.shard_id, self.sequence_number)

    @property
    def place(self) -> Place:
        return self.shard_id, self.sequence_number

    @property
    def redrive_id(self) -> str:
        """The event id it is put again with: its own, or else one made of its place.

        Either is the same each time, so the function recognises a second put.
        """
        if self.event_id is not None and is_valid(self.event_id):
            return self.event_id
        return redrive_id(self.place)


def name_of(shard_id: str, sequence_number: int | str) -> str:
    """The name of a place on the stream: the number of the shard, and the sequence number."""
    return f"{shard_id.rpartition('-')[2].lstrip('0') or '0'}-{int(sequence_number)}"


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
