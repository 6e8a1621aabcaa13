"""The rows, what changed since when, and what each product has been through. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboard.model.entry import Entry
from inventory.stock import Row

EVENTS_A_PRODUCT = 30
MOST_PRODUCTS_WITH_HISTORY = 5_000
MOST_REMOVED = 20_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A row and when it was last seen to change (epoch seconds; 0: not since we look)."""

    row: Row
    changed_at: float


@dataclass(frozen=True, slots=True)
class Diff:
    """The rows that changed after a version, up to `version`. `whole`: they are all that there are,
    and the reader is to forget the others."""

    version: int
    whole: bool
    rows: Sequence[Shown]
    removed: Sequence[str]


class Products:
    """The table as its stream tells it, newest change last."""

    def __init__(self) -> None:
        self.version = 0
        self._began = 0
        self._rows: dict[str, Shown] = {}
        self._changes: OrderedDict[str, int] = OrderedDict()
        self._histories: OrderedDict[str, deque[Entry]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def reset(self, rows: Iterable[Row], at: float = 0.0) -> None:
        """The whole table, as it was `at`; at first, nobody knows when its rows changed."""
        known, changed_at = self._rows, at if self.version else 0.0
        self._rows = {
            row.product_id: shown
            if (shown := known.get(row.product_id)) and shown.row == row
            else Shown(row, changed_at)
            for row in rows
        }
        self._changes.clear()
        self.version += 1
        self._began = self.version

    def row(self, product_id: str) -> Row | None:
        shown = self._rows.get(product_id)
        return shown.row if shown else None

    def change(self, product_id: str, row: Row | None, at: float) -> None:
        self.version += 1
        if row is None:
            self._rows.pop(product_id, None)
        else:
            self._rows[product_id] = Shown(row, at)
        self._changes[product_id] = self.version
        self._changes.move_to_end(product_id)
        if len(self._changes) > len(self._rows) + MOST_REMOVED:
            _, self._began = self._changes.popitem(last=False)

    def since(self, version: int) -> Diff:
        """What a reader that has seen everything up to `version` does not know."""
        if version < self._began:
            return Diff(self.version, True, list(self._rows.values()), [])
        rows: list[Shown] = []
        removed: list[str] = []
        for product_id in reversed(self._changes):
            if self._changes[product_id] <= version:
                break
            if (shown := self._rows.get(product_id)) is not None:
                rows.append(shown)
            else:
                removed.append(product_id)
        return Diff(self.version, False, rows, removed)

    def remember(self, entry: Entry) -> None:
        """Add to its product's history."""
        if entry.product_id is None:
            return
        history = self._histories.setdefault(entry.product_id, deque(maxlen=EVENTS_A_PRODUCT))
        history.append(entry)
        self._histories.move_to_end(entry.product_id)
        if len(self._histories) > MOST_PRODUCTS_WITH_HISTORY:
            self._histories.popitem(last=False)

    def history(self, product_id: str) -> list[Entry]:
        """The latest events of the product, the youngest first."""
        return list(self._histories.get(product_id, ()))[::-1]
