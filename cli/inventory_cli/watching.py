"""The table as it is watched: its rows, and what has just become of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rich.table import Table
from rich.text import Text

from inventory.items import row_of
from inventory.stock import Row
from inventory_aws.shown import shown
from operations.numbers import counted
from operations.table import COLUMNS, natural, values
from operations.table_stream import Change

MARKED_SECONDS = 3.0
"""How long a row tells that it has changed."""

NEW, CHANGED, REMOVED = "new", "changed", "removed"
STYLES = {NEW: "bold green", CHANGED: "bold yellow", REMOVED: "dim strike"}


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of a row, when, and how its quantity moved."""

    kind: str
    at: float
    moved: int = 0

    def __str__(self) -> str:
        return f"{self.moved:+d}" if self.kind == CHANGED and self.moved else self.kind


class Watched:
    """Rows by product id, as they were read and as the table's stream has told since."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self.rows = dict(rows)
        self._marks: dict[str, Mark] = {}
        self._removed: dict[str, Row] = {}
        self._lately: dict[str, None] = {}

    def take(self, records: Iterable[Change], now: float) -> list[Change]:
        """Those of the changes that are news: the stream also tells some that were read already."""
        return [record for record in records if self._changes(record, now)]

    def _changes(self, record: Change, now: float) -> bool:
        product_id = record.keys["product_id"]["S"]
        before, after = (row_of(dict(i)) if i else None for i in (record.before, record.after))
        known = self.rows.get(product_id)
        if known == after or _number(known) > _number(after or before):
            return False
        if after is None:
            self._removed[product_id] = self.rows.pop(product_id)
            self._mark(product_id, Mark(REMOVED, now))
        else:
            self._removed.pop(product_id, None)
            moved = _moved(known.quantity, after.quantity) if known else 0
            self._mark(product_id, Mark(CHANGED if known else NEW, now, moved))
            self.rows[product_id] = after
        return True

    def _mark(self, product_id: str, mark: Mark) -> None:
        self._marks[product_id] = mark
        self._lately.pop(product_id, None)
        self._lately[product_id] = None

    def shown(self, most: int, now: float) -> Sequence[tuple[Row, Mark | None]]:
        """Up to `most` rows, with what has just become of them.

        All in the order of their ids if they fit; else those first that changed last.
        """
        self._forget(now)
        there = {**self.rows, **self._removed}
        if len(there) <= most:
            ids: Iterable[str] = sorted(there, key=natural)
        else:
            lately = list(islice(reversed(self._lately), most))
            rest = (product_id for product_id in there if product_id not in self._lately)
            ids = [*lately, *islice(rest, most - len(lately))]
        return [(there[product_id], self._marks.get(product_id)) for product_id in ids]

    def _forget(self, now: float) -> None:
        past = [p for p, mark in self._marks.items() if now - mark.at >= MARKED_SECONDS]
        for product_id in past:
            del self._marks[product_id]
            if self._removed.pop(product_id, None) is not None:
                del self._lately[product_id]


def told(record: Change) -> dict[str, Any]:
    """A change as JSON: the row after it, or the id of one that is gone."""
    if record.after is None:
        return {"product_id": record.keys["product_id"]["S"], "removed": True}
    return values(row_of(dict(record.after)))


def rendered(rows: Sequence[tuple[Row, Mark | None]], all_rows: int) -> Table:
    """For a terminal. What rows hold came from outside: it is shown, never obeyed."""
    part = f", the {len(rows)} that changed last are shown" if len(rows) < all_rows else ""
    table = Table(*COLUMNS, "", caption=f"{counted(all_rows, 'row')}{part}. Press Ctrl+C to stop.")
    for column in ("quantity", ""):
        table.columns[[*COLUMNS, ""].index(column)].justify = "right"
    table.columns[-1].min_width = len(CHANGED)
    for row, mark in rows:
        cells = [Text(shown(str(value)), no_wrap=True) for value in values(row).values()]
        style = STYLES[mark.kind] if mark else ""
        table.add_row(*cells, str(mark) if mark else "", style=style)
    return table


def _moved(before: int | str, after: int | str) -> int:
    return after - before if isinstance(before, int) and isinstance(after, int) else 0


def _number(row: Row | None) -> int:
    return -1 if row is None or row.sequence_number is None else row.sequence_number
