"""An entry of the audit log, and the line that it is. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from inventory.items import row_of
from inventory.stock import Row
from inventory_cli.audit.images import Image, image
from inventory_cli.audit.moments import moment
from operations.table_stream import Change, Place


class Kind(StrEnum):
    """What became of the row, as its images show it."""

    ADDED = "added"
    OVERWRITTEN = "overwritten"
    QUANTITY = "quantity"
    RESTATED = "restated"
    REMOVED = "removed"


EVENT_TYPES = {
    Kind.ADDED: "product_added",
    Kind.OVERWRITTEN: "product_added",
    Kind.QUANTITY: "product_quantity_changed",
    Kind.REMOVED: "product_removed",
}
"""The event that makes such a change, if it was one alone. What leaves all as it was may be of two
types; and what looks like a new quantity may be a product_added of the same name and timestamp."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of a product's row.

    `event_ids`, oldest first: the events that the row remembers and did not remember before. The
    function writes what several events make of a row at once, so there may be more than one; a row
    that is gone remembers none. `by_event` is False when something else wrote the row.
    `at` is DynamoDB's time of the write, to the second; LocalStack's streams give whole minutes.
    `gap`: changes of this product are missing before this one.
    """

    at: str
    product_id: str
    kind: Kind
    by_event: bool
    event_ids: tuple[str, ...]
    before: Image | None
    after: Image | None
    gap: bool
    place: Place

    @property
    def event_type(self) -> str | None:
        """The type of the one event that made the change; None where that cannot be told."""
        return EVENT_TYPES.get(self.kind) if self.by_event and len(self.event_ids) < 2 else None


def entry_of(record: Change, previous: Mapping[str, Image | None]) -> Entry:
    """What `record` says. `previous` is how each product's last entry left it."""
    before, after = image(record.before), image(record.after)
    product_id = record.keys["product_id"]["S"]
    old, new = (row_of(item) if item else None for item in (record.before, record.after))
    remembered = old.recent_event_ids if old else ()
    return Entry(
        at=moment(datetime.fromtimestamp(record.at, UTC)),
        product_id=product_id,
        kind=kind_of(before, after),
        by_event=new is None or _number(new) > _number(old),
        event_ids=tuple(e for e in (new.recent_event_ids if new else ()) if e not in remembered),
        before=before,
        after=after,
        gap=product_id in previous and previous[product_id] != before,
        place=record.place,
    )


def kind_of(before: Image | None, after: Image | None) -> Kind:
    if after is None:
        return Kind.REMOVED
    if before is None:
        return Kind.ADDED
    changed = {name for name in (*before, *after) if before.get(name) != after.get(name)}
    if changed & {"product_name", "timestamp"}:
        return Kind.OVERWRITTEN
    return Kind.QUANTITY if "quantity" in changed else Kind.RESTATED


def line(entry: Entry) -> str:
    """The entry as one line of JSON, in ASCII."""
    return json.dumps(
        {
            "at": entry.at,
            "product_id": entry.product_id,
            "change": entry.kind,
            "event_type": entry.event_type,
            "event_ids": entry.event_ids,
            "by_event": entry.by_event,
            "before": entry.before,
            "after": entry.after,
            "gap": entry.gap,
            "stream": entry.place.stream,
            "shard": entry.place.shard,
            "sequence_number": entry.place.sequence_number,
        }
    )


def parse(text: str | bytes) -> Entry:
    """The entry that a line holds. Raises ValueError when it holds none."""
    try:
        told = json.loads(text)
        return Entry(
            at=told["at"],
            product_id=told["product_id"],
            kind=Kind(told["change"]),
            by_event=told["by_event"],
            event_ids=tuple(told["event_ids"]),
            before=told["before"],
            after=told["after"],
            gap=told["gap"],
            place=Place(told["stream"], told["shard"], told["sequence_number"]),
        )
    except (TypeError, KeyError) as error:
        raise ValueError(f"not an entry: {error!r}") from error


def _number(row: Row | None) -> int:
    return -1 if row is None or row.sequence_number is None else row.sequence_number
