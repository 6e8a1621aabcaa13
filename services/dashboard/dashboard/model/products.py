"""The rows of the table, what changed since when, and the history of each product. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboard.model.event import TrackedEvent
from inventory.stock import Row

EVENTS_PER_PRODUCT = 30
MOST_PRODUCTS_WITH_HISTORY = 5_000
MOST_REMOVED = 20_000


@dataclass(frozen=True, slots=True)
class ShownRow:
    """`changed_at` is in epoch seconds; 0: not since the page's server started."""

    row: Row
    changed_at: float


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed up to `version`. If it is `whole`, the reader forgets all other rows."""

    version: int
    whole: bool
    rows: Sequence[ShownRow]
    removed: Sequence[str]


class Products:
    def __init__(self) -> None:
        self.version = 0
        self._diffs_from = 0
        self._rows: dict[str, ShownRow] = {}
        self._changes: OrderedDict[str, int] = OrderedDict()  # versions, the newest last
        self._histories: OrderedDict[str, deque[TrackedEvent]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def reset(self, rows: Iterable[Row], at: float = 0.0) -> None:
        """Take a scan of the whole table. The first one does not tell when rows changed."""
        changed_at = at if self.version else 0.0
        found = {row.product_id: ShownRow(row, changed_at) for row in rows}
        for product_id, shown in self._rows.items():
            if product_id in found and found[product_id].row == shown.row:
                found[product_id] = shown
        self._rows = found
        self._changes.clear()
        self.version += 1
        self._diffs_from = self.version

    def row(self, product_id: str) -> Row | None:
        shown = self._rows.get(product_id)
        return shown.row if shown else None

    def change(self, product_id: str, row: Row | None, at: float) -> None:
        self.version += 1
        if row is None:
            self._rows.pop(product_id, None)
        else:
            self._rows[product_id] = ShownRow(row, at)
        self._changes[product_id] = self.version
        self._changes.move_to_end(product_id)
        if len(self._changes) > len(self._rows) + MOST_REMOVED:
            _, self._diffs_from = self._changes.popitem(last=False)

    def since(self, version: int) -> Diff:
        """Return what a reader that knows everything up to `version` does not know."""
        if version < self._diffs_from:
            return Diff(self.version, True, list(self._rows.values()), [])
        rows: list[ShownRow] = []
        removed: list[str] = []
        for product_id in reversed(self._changes):
            if self._changes[product_id] <= version:
                break
            if shown := self._rows.get(product_id):
                rows.append(shown)
            else:
                removed.append(product_id)
        return Diff(self.version, False, rows, removed)

    def remember(self, tracked: TrackedEvent) -> None:
        """Add an event to the history of its product."""
        if tracked.product_id is None:
            return
        history = self._histories.setdefault(tracked.product_id, deque(maxlen=EVENTS_PER_PRODUCT))
        history.append(tracked)
        self._histories.move_to_end(tracked.product_id)
        if len(self._histories) > MOST_PRODUCTS_WITH_HISTORY:
            self._histories.popitem(last=False)

    def history(self, product_id: str) -> list[TrackedEvent]:
        """Return the latest events of the product, the newest first."""
        return list(self._histories.get(product_id, ()))[::-1]
