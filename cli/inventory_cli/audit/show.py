"""The audit log for people: as text, and in the layout of `DynamodbTableStatus.txt`. Pure.

The values come from events, so they are escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from inventory.stock import Row
from inventory_aws.shown import shown
from inventory_cli.audit.entry import AuditEntry, Image, moment
from inventory_cli.status_file import event_and_table, table_before
from operations.table import natural

_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def since(text: str, now: datetime) -> str:
    """Return the moment that `text` means: 90s, 10m, 2h or 3d ago, or an ISO 8601 time in UTC.

    Raises ValueError or OverflowError.
    """
    if ago := _AGO.fullmatch(text):
        return moment(now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
    at = datetime.fromisoformat(text)
    return moment(at if at.tzinfo else at.replace(tzinfo=UTC))


def is_chosen(entry: AuditEntry, product_id: str | None, since: str | None) -> bool:
    if product_id not in (None, entry.product_id):
        return False
    # LocalStack gives whole minutes: the change may be anywhere in such a minute.
    minute, is_whole = entry.at[:-3], entry.at.endswith(":00Z")
    return since is None or entry.at >= since or (is_whole and since.startswith(minute))


def json_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    return (entry.line() for entry in entries)


def text(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """A line for each entry with time, product, change and cause, after one for a gap."""
    for entry in entries:
        start = shown(f"{entry.at}  {entry.product_id}")
        if entry.gap:
            yield f"{start}  changes are missing here"
        yield shown(f"{start}  {entry.change}: {_values(entry)}  ({_cause(entry)})")


def _cause(entry: AuditEntry) -> str:
    if not entry.by_event:
        return "not by an event: something else wrote the row"
    if entry.after is None:
        return f"{entry.event_type}; a deleted row does not have its id"
    if len(entry.event_ids) > 1:
        return f"{len(entry.event_ids)} events in one write: {', '.join(entry.event_ids)}"
    event_type = entry.event_type or "product_added or product_quantity_changed"
    return f"{event_type} {entry.event_ids[0] if entry.event_ids else 'without an id'}"


def _values(entry: AuditEntry) -> str:
    before, after = (
        {name: repr(value) for name, value in (image or {}).items() if name != "sequence_number"}
        for image in (entry.before, entry.after)
    )
    if entry.before is None or entry.after is None:
        row = before or after
        return ", ".join(f"{name} {value}" for name, value in row.items() if name != "product_id")
    changed = ", ".join(
        f"{name} {before.get(name, 'none')} → {after.get(name, 'none')}"
        for name in sorted(before | after)
        if before.get(name) != after.get(name)
    )
    return changed or "no field of the product changed"


class TableStatus:
    """The table before the first of the entries, and after each.

    `rows` is the table at the start of the run. Products without an entry have been like that all
    along; the others were before as their first entry says.
    """

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows = dict(rows)
        self._is_started = False

    def lines(self, entries: Iterable[AuditEntry]) -> Iterator[str]:
        """The entries of the first call reach up to the start of the run."""
        entries = list(entries)
        if not self._is_started:
            self._is_started = True
            for entry in reversed(entries):
                self._set(entry.product_id, entry.before)
            yield from table_before(self._sorted())
        for entry in entries:
            self._set(entry.product_id, entry.after)
            yield from event_and_table(_event(entry), self._sorted())

    def _set(self, product_id: str, image: Image | None) -> None:
        if image is None:
            self._rows.pop(product_id, None)
            return
        name, quantity, timestamp = (
            str(image.get(each, "N/A")) for each in ("product_name", "quantity", "timestamp")
        )
        self._rows[product_id] = Row(product_id, name, quantity, timestamp)

    def _sorted(self) -> Mapping[str, Row]:
        return {each: self._rows[each] for each in sorted(self._rows, key=natural)}


def _event(entry: AuditEntry) -> str:
    """What is known of the event. The table's stream does not have the event itself."""
    names = ("event_type", "event_ids", "product_id", "at")
    return json.dumps({name: getattr(entry, name) for name in names})
