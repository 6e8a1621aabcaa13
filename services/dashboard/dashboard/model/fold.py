"""What each event came to: the rules of the stock, applied to the row as it was before it. Pure.

The rows are those of the table, which tells of them by a stream of its own, before the function
tells that it is done with an event, or after. So a change that the table has told waits here until
the event that made it is judged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dashboard.model.effects import effect_of
from dashboard.model.entry import Entry, bounded
from inventory.event import Event, ProductAdded
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, apply
from inventory_aws.shown import shown
from operations.verify.explain import RecordStatus

KEPT = 10_000
CHANGES_A_PRODUCT = 8

Judgement = tuple[RecordStatus, str]


@dataclass(frozen=True, slots=True)
class RowChange:
    """A change of the table's stream; `at` is when it was read, in epoch seconds."""

    product_id: str
    before: Row | None
    after: Row | None
    at: float


class Fold:
    """The row of each product as it is after the events that were judged."""

    def __init__(self, names: RemovalNamePolicy) -> None:
        self._names = names
        self._rows: dict[str, Row | None] = {}
        self._scanned: dict[str, Row] = {}
        self._scanned_at = 0.0
        self._told: dict[str, deque[RowChange]] = {}
        self._removed: dict[str, Removal] = {}

    def scanned(self, rows: Iterable[Row], at: float) -> None:
        """The whole table, read anew."""
        self._scanned_at = at
        self._scanned = {row.product_id: row for row in rows}
        self._rows = dict(self._scanned)
        self._told.clear()
        self._removed.clear()

    def changed(self, change: RowChange) -> None:
        waiting = self._told.setdefault(change.product_id, deque(maxlen=CHANGES_A_PRODUCT))
        waiting.append(change)
        bound(self._told)

    def judge(self, entry: Entry, event: Event, reason: str | None) -> Judgement:
        """What became of an event that the function is done with, and what it did, in words.

        Events of a product are judged in their order; `reason` is why it was rejected, if so.
        """
        before = self._caught_up(event)
        if (past := self._before_the_scan(entry, event, before)) is not None:
            return past
        if reason is not None:
            return RecordStatus.REJECTED, reason
        step = apply(before, event, self._names, self._removed.get(event.product_id))
        if step.outcome is Outcome.APPLIED:
            if step.removed is not None:
                self._removed[event.product_id] = step.removed
                bound(self._removed)
            self._rows[event.product_id] = self._as_told(event, step.row)
        return RecordStatus(step.outcome.value), step.reason or effect_of(before, step)

    def _caught_up(self, event: Event) -> Row | None:
        """The row before the event: as folded, or as the table has told if that is further."""
        product_id = event.product_id
        told = self._told.get(product_id, deque())
        while told and (after := told[0].after) is not None and _number(after) < _number(event):
            self._take(product_id, after)
            told.popleft()
        if told and (base := told[0].before) is not None and _number(base) < _number(event):
            self._take(product_id, base)
        return self._rows.get(product_id)

    def _take(self, product_id: str, row: Row) -> None:
        known = self._rows.get(product_id)
        known_number = _number(self._removed.get(product_id) if known is None else known)
        if _number(row) > known_number:
            self._rows[product_id] = row

    def _as_told(self, event: Event, row: Row | None) -> Row | None:
        """The row after an event that was applied; the table's own word for it where there is."""
        told = self._told.get(event.product_id)
        if not told:
            return row
        after = told[0].after
        if after is None and row is None:
            told.popleft()
        elif after is not None and _number(after) == event.sequence_number:
            told.popleft()
            row = after
        if not told:
            del self._told[event.product_id]
        return row

    def _before_the_scan(self, entry: Entry, event: Event, before: Row | None) -> Judgement | None:
        """What the row that was read first says of an event that it may have seen; None if it
        says nothing."""
        scanned = self._scanned.get(event.product_id)
        if scanned is None:
            seen = entry.arrived_at < self._scanned_at
            unknown = seen and before is None and not isinstance(event, ProductAdded)
            return (RecordStatus.UNKNOWN, "") if unknown else None
        if event.sequence_number > _number(scanned):
            return None
        if event.sequence_number == scanned.sequence_number:
            return RecordStatus.APPLIED, bounded(
                shown(f"{scanned.product_name}, {scanned.quantity}")
            )
        known = event.event_id in scanned.recent_event_ids
        return (RecordStatus.APPLIED if known else RecordStatus.UNKNOWN), ""


def bound(kept: dict[Any, Any]) -> None:
    """Let go of the oldest of what is too much."""
    while len(kept) > KEPT:
        del kept[next(iter(kept))]


def _number(of: Row | Removal | Event | None) -> int:
    return -1 if of is None or of.sequence_number is None else of.sequence_number
