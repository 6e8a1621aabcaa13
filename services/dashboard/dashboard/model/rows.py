"""The outcome of each event: the rules of the stock, applied to the row before it. Pure.

The function's log has the outcomes of a batch only as counts. The table's stream reports a change
before or after the log reports its batch, so changes are kept until their event is judged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dashboard.model.event import TrackedEvent
from inventory.event import Event, ProductAdded
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, apply, last_number
from inventory_aws.shown import shown
from operations.verify.explain import RecordStatus

MOST_KEPT = 10_000
CHANGES_PER_PRODUCT = 8
EFFECTS = {Outcome.DUPLICATE: "applied before", Outcome.NOT_FOUND: "no such product"}


@dataclass(frozen=True, slots=True)
class RowChange:
    """A change of the table's stream; `at` is when it was read, in epoch seconds."""

    product_id: str
    before: Row | None
    after: Row | None
    at: float


class TrackedRows:
    """The row of each product after the events that were judged."""

    def __init__(self, policy: RemovalNamePolicy) -> None:
        self._policy = policy
        self._rows: dict[str, Row | None] = {}
        self._removals: dict[str, Removal] = {}
        self._changes: dict[str, deque[RowChange]] = {}
        self._scanned_at = 0.0

    def scanned(self, rows: Iterable[Row], at: float) -> None:
        """Start again from a scan of the whole table."""
        self._rows = {row.product_id: row for row in rows}
        self._removals.clear()
        self._changes.clear()
        self._scanned_at = at

    def changed(self, change: RowChange) -> None:
        kept = self._changes.setdefault(change.product_id, deque(maxlen=CHANGES_PER_PRODUCT))
        kept.append(change)
        bound(self._changes)

    def judge(self, tracked: TrackedEvent, rejection: str | None) -> tuple[RecordStatus, str]:
        """Return what became of an event that the function has handled, and its effect in words.

        Call it for the events of a product in their order. `rejection` is the reason in the log.
        """
        event = tracked.event
        if rejection is not None or event is None:
            return RecordStatus.REJECTED, rejection or tracked.effect
        self._catch_up(event)
        product_id = event.product_id
        row = self._rows.get(product_id)
        if row is not None and event.sequence_number <= last_number(row):
            # The event is older than the scan: of what it did, only this is left.
            newest, ids = row.sequence_number, row.recent_event_ids
            known = event.sequence_number == newest or event.event_id in ids
            return (RecordStatus.APPLIED if known else RecordStatus.UNKNOWN), ""
        before_scan = tracked.arrived_at < self._scanned_at and product_id not in self._rows
        if before_scan and not isinstance(event, ProductAdded):
            return RecordStatus.UNKNOWN, ""
        step = apply(row, event, self._policy, self._removals.get(product_id))
        if step.outcome is not Outcome.APPLIED:
            return RecordStatus(step.outcome.value), step.reason or EFFECTS.get(step.outcome, "")
        self._rows[product_id] = step.row
        if step.removed is not None:
            self._removals[product_id] = step.removed
            bound(self._removals)
        return RecordStatus.APPLIED, _effect(row, step.row)

    def _catch_up(self, event: Event) -> None:
        """Take the newest row from the changes that is older than the event, if it is news."""
        product_id = event.product_id
        number = last_number(self._rows.get(product_id) or self._removals.get(product_id))
        for change in self._changes.get(product_id, ()):
            for row in (change.before, change.after):
                if row is not None and number <= last_number(row) < event.sequence_number:
                    self._rows[product_id], number = row, last_number(row)


def bound(kept: dict[Any, Any]) -> None:
    """Drop the oldest entries over MOST_KEPT."""
    while len(kept) > MOST_KEPT:
        del kept[next(iter(kept))]


def _effect(before: Row | None, after: Row | None) -> str:
    if after is None:
        return "row removed"
    if before is None:
        return f"new row, quantity {after.quantity}"
    if before.product_name == after.product_name:
        return shown(f"quantity {before.quantity} → {after.quantity}")
    names = f"{before.product_name} {before.quantity} → {after.product_name} {after.quantity}"
    return shown(names)
