"""A failed event that is put on the stream again: the id it has then, and where it was. Pure."""

from __future__ import annotations

import json

from inventory.event import InvalidEventError, parse
from inventory.json_text import with_members
from inventory.stream import Place

MARK = "redriven_from"
"""A member that the contract does not know, and so lets pass."""


def redrive_id(place: Place) -> str:
    """The id that an event gets when it is put on the stream again and has none that is valid.

    It is made of its place, so it is the same each time.
    """
    shard_id, sequence_number = place
    return f"redrive-{shard_id}-{sequence_number}"


def is_valid(event_id: str) -> bool:
    """Whether the contract takes it."""
    bearer = {
        "event_type": "product_removed",
        "event_id": event_id,
        "product": {"product_id": "any"},
    }
    try:
        parse(json.dumps(bearer).encode(), 0)
    except InvalidEventError:
        return False
    return True


def carrying(event_id: str, origin: Place, payload: bytes) -> bytes:
    """`payload`, which is a valid event, under this id, and with the place that it failed at.

    The rest stays as it was written.
    """
    document = json.loads(payload)
    shard_id, sequence_number = origin
    told = {"event_id": event_id, MARK: {"shard_id": shard_id, "sequence_number": sequence_number}}
    changed = {name: value for name, value in told.items() if document.get(name) != value}
    return with_members(payload, changed)


def origin_of(payload: bytes) -> Place | None:
    """The place that an event failed at before it was put again; None if it was not."""
    if MARK.encode() not in payload:
        return None
    try:
        match json.loads(payload):
            case {"redriven_from": {"shard_id": str(shard_id), "sequence_number": int(number)}}:
                return shard_id, number
    except (ValueError, RecursionError):
        return None
    return None
