"""A failed event, and the form in which it goes back to the stream. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from inventory.event import claims, is_event_id
from inventory.json_text import with_members
from inventory_aws.stream import Place

MARK = "redriven_from"
"""The member with which a redriven event says where it failed. The contract ignores it."""


class Origin(StrEnum):
    """The queue that a failed event is in."""

    REJECTED = "rejected"
    DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True, slots=True)
class FailedEvent:
    """A rejected event, or an event of a dead letter. `failed_at` is in epoch seconds.

    `event_id` and `product_id` are the payload's, where they are valid. Without a `payload`, `lost`
    says why; the lost records of a dead letter are one failed event, under the first of them.
    `ordered` is False if the partition key was not the product id: then the sequence number does
    not say which events of the product are newer.
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
        """The ID that users see."""
        return name_of(self.shard_id, self.sequence_number)

    @property
    def place(self) -> Place:
        return self.shard_id, self.sequence_number

    @property
    def redrive_id(self) -> str:
        """Its event id, or else one made of its place.

        It is the same each time, so the function recognises a second redrive as a duplicate.
        """
        if self.event_id is not None and is_event_id(self.event_id):
            return self.event_id
        return f"redrive-{self.shard_id}-{self.sequence_number}"

    def with_payload(self, payload: bytes) -> FailedEvent:
        """The event as a user has edited it, under its old id."""
        return replace(self, payload=payload, product_id=claims(payload)[1])


def name_of(shard_id: str, sequence_number: int | str) -> str:
    """The number of the shard, and the sequence number."""
    return f"{shard_id.rpartition('-')[2].lstrip('0') or '0'}-{int(sequence_number)}"


def choose(
    events: Iterable[FailedEvent],
    names: Collection[str] = (),
    product_id: str | None = None,
    reason: str | None = None,
) -> list[FailedEvent]:
    """The events that meet each given criterion: a name, the product, a part of the reason."""
    return [
        event
        for event in events
        if (not names or event.name in names)
        and (product_id is None or event.product_id == product_id)
        and (reason is None or reason.casefold() in event.reason.casefold())
    ]


def unknown(names: Sequence[str], events: Iterable[FailedEvent]) -> list[str]:
    """The names that no event has."""
    known = {event.name for event in events}
    return [name for name in names if name not in known]


def marked(event_id: str, origin: Place, payload: bytes) -> bytes:
    """The valid event `payload` with this id, and with the place where it failed.

    The rest of its text stays as it was written.
    """
    document = json.loads(payload)
    shard_id, sequence_number = origin
    mark = {"shard_id": shard_id, "sequence_number": sequence_number}
    members = {"event_id": event_id, MARK: mark}
    changed = {name: value for name, value in members.items() if document.get(name) != value}
    return with_members(payload, changed)


def origin_of(payload: bytes) -> Place | None:
    """The place where a redriven event failed; None if it is not redriven."""
    if MARK.encode() not in payload:
        return None
    try:
        match json.loads(payload):
            case {"redriven_from": {"shard_id": str(shard_id), "sequence_number": int(number)}}:
                return shard_id, number
    except (ValueError, RecursionError):
        pass
    return None
