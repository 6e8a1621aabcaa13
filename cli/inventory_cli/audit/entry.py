"""An entry of the audit log: one change of a row. Pure."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from inventory.items import row_of
from inventory.stock import last_number
from operations.table_stream import Change, Item

Image = Mapping[str, Any]
"""The attributes of a row, without the ids of the events that it has seen."""

EVENT_TYPES = {
    "added": "product_added",
    "overwritten": "product_added",
    "quantity": "product_quantity_changed",
    "removed": "product_removed",
}
"""The type of a single event that makes such a change. A change that is "restated" leaves the
product as it was, so its event may be of two types. What looks like a new quantity may also be a
product_added with the same name and timestamp."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change of a product's row. The fields are those of a line of the log.

    `at` is DynamoDB's time of the write, in whole seconds; LocalStack's streams give whole minutes.
    `event_ids`, oldest first, are those that the row got with the change. There may be several, as
    the function writes what a batch makes of a row at once. A removed row has none.
    `by_event` is false if something else wrote the row. `gap` is true if changes of the product are
    missing before this one.
    """

    at: str
    product_id: str
    change: str
    event_type: str | None
    event_ids: list[str]
    by_event: bool
    before: Image | None
    after: Image | None
    gap: bool
    stream: str
    shard: str
    sequence_number: str

    def line(self) -> str:
        """The entry as one line of JSON, in ASCII."""
        return json.dumps(asdict(self))


def entry_of(record: Change, previous: Mapping[str, Image | None]) -> AuditEntry:
    """Return the entry of a change. `previous` has each product's row after its last entry."""
    product_id = record.keys["product_id"]["S"]
    before, after = image(record.before), image(record.after)
    old, new = (row_of(item) if item else None for item in (record.before, record.after))
    seen = old.recent_event_ids if old else ()
    event_ids = [each for each in (new.recent_event_ids if new else ()) if each not in seen]
    by_event = new is None or last_number(new) > last_number(old)
    change = _change(before, after)
    return AuditEntry(
        at=moment(datetime.fromtimestamp(record.at, UTC)),
        product_id=product_id,
        change=change,
        event_type=EVENT_TYPES.get(change) if by_event and len(event_ids) < 2 else None,
        event_ids=event_ids,
        by_event=by_event,
        before=before,
        after=after,
        gap=product_id in previous and previous[product_id] != before,
        stream=record.place.stream,
        shard=record.place.shard,
        sequence_number=record.place.sequence_number,
    )


def moment(at: datetime) -> str:
    """Format a time in UTC to the second, so that moments sort as texts."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def image(item: Item | None) -> Image | None:
    if item is None:
        return None
    return {k: _plain(value) for k, value in sorted(item.items()) if k != "recent_event_ids"}


def _plain(value: Mapping[str, Any]) -> Any:
    """Return a text or number as such, and all else in the notation of DynamoDB."""
    ((kind, content),) = value.items()
    if kind == "S":
        return content
    if kind == "N":
        number = Decimal(content)
        return int(number) if number == number.to_integral_value() else float(number)
    if kind in ("SS", "NS", "BS"):
        content = sorted(content)
    return json.loads(json.dumps({kind: content}, default=lambda data: b64encode(data).decode()))


def _change(before: Image | None, after: Image | None) -> str:
    if after is None:
        return "removed"
    if before is None:
        return "added"
    changed = {name for name in (*before, *after) if before.get(name) != after.get(name)}
    if changed & {"product_name", "timestamp"}:
        return "overwritten"
    return "quantity" if "quantity" in changed else "restated"
