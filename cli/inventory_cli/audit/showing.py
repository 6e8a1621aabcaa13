"""Entries of the audit log for people. What they hold came from outside: shown, never obeyed."""

from __future__ import annotations

from collections.abc import Iterator

from inventory_aws.shown import shown
from inventory_cli.audit.entry import Entry, Kind
from inventory_cli.audit.images import Image

GUARD = "sequence_number"
KEY = "product_id"


def text(entry: Entry) -> Iterator[str]:
    """One line: when, which product, what, who; one before it if something is missing there."""
    begin = shown(f"{entry.at}  {entry.product_id}")
    if entry.gap:
        yield f"{begin}  changes are missing here"
    yield f"{begin}  {entry.kind}: {shown(_what(entry))}  ({shown(who(entry))})"


def who(entry: Entry) -> str:
    """The event or events that made the change, as far as it shows them."""
    if not entry.by_event:
        return "not by an event: something else wrote the row"
    if entry.kind is Kind.REMOVED:
        return f"{entry.event_type}; a deleted row does not have its id"
    if len(entry.event_ids) > 1:
        return f"{len(entry.event_ids)} events in one write: {', '.join(entry.event_ids)}"
    event_type = entry.event_type or "product_added or product_quantity_changed"
    return f"{event_type} {entry.event_ids[0] if entry.event_ids else 'without an id'}"


def _what(entry: Entry) -> str:
    before, after = entry.before or {}, entry.after or {}
    if entry.before is None or entry.after is None:
        return ", ".join(f"{name} {_value(value)}" for name, value in told(before or after))
    names = sorted((before.keys() | after.keys()) - {GUARD})
    return (
        ", ".join(
            f"{name} {_side(before, name)} → {_side(after, name)}"
            for name in names
            if _side(before, name) != _side(after, name)
        )
        or "no field of the product changed"
    )


def told(row: Image) -> list[tuple[str, object]]:
    """What the row says of the product."""
    return [(name, value) for name, value in row.items() if name not in (GUARD, KEY)]


def _side(row: Image, name: str) -> str:
    return _value(row[name]) if name in row else "none"


def _value(value: object) -> str:
    return repr(value)
