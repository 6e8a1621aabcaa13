"""The rules of the stock: how an event changes the row of its product. Pure, immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from inventory.event import (
    MAX_LEVEL,
    Event,
    ProductAdded,
    ProductRemoved,
    QuantityMoved,
    QuantitySet,
)

RECENT_EVENT_IDS = 24
"""How many applied event ids a row remembers; with as many ULIDs it stays under 1 KB, which is
what DynamoDB writes for the price of one unit."""

_CHANGED = ("quantity", "sequence_number", "recent_event_ids")
"""The attributes of a row that a change of its quantity writes."""


class Outcome(StrEnum):
    """The result of one record."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    FAILED = "failed"


class RemovalNamePolicy(StrEnum):
    """Whether a removal that has a name must have that of the row."""

    IGNORE = "ignore"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Row:
    """A product in the table. The number and the ids guard it against repeated events.

    Another program may have written it. Without a readable number, any event is newer. A quantity
    that is not a whole number of up to 38 digits is a text. `foreign` has the attributes that the
    function does not write, or not in this form; None is a missing one.
    """

    product_id: str
    product_name: str
    quantity: int | str
    timestamp: str
    sequence_number: int | None = None
    recent_event_ids: tuple[str, ...] = ()
    foreign: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Removal:
    """The marker of a product's last removal, which guards a product without a row.

    It has the ids that the row remembered, and that of the event that removed it.
    """

    sequence_number: int
    recent_event_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """An event's outcome and the row after it; reason and code if it was rejected.

    `removed` is the marker that an applied removal leaves.
    """

    outcome: Outcome
    row: Row | None
    reason: str | None = None
    code: str | None = None
    removed: Removal | None = None


def apply(
    row: Row | None,
    event: Event,
    names: RemovalNamePolicy = RemovalNamePolicy.IGNORE,
    removed: Removal | None = None,
) -> Step:
    """Apply `event` to `row`. Every outcome but APPLIED leaves the row as it was.

    `removed` is the marker of the product's last removal. It no longer counts if the row has a
    sequence number: then the row has taken over its ids.
    """
    removed = None if is_guarded(row) else removed
    if _has_seen(row, event) or _has_seen(removed, event):
        return Step(Outcome.DUPLICATE, row)
    match event:
        case ProductAdded():
            added = Row(event.product_id, event.product_name, event.quantity, event.timestamp)
            return Step(Outcome.APPLIED, _stamped(added, event, row, removed))
        case _ if row is None:
            return Step(Outcome.NOT_FOUND, None)
        case ProductRemoved(product_name=name):
            if names is RemovalNamePolicy.ENFORCE and name not in (None, row.product_name):
                return _rejected(row, "product.product_name", "is not that of the row", "differs")
            ids = _remembered(event, row, removed)
            return Step(Outcome.APPLIED, None, removed=Removal(event.sequence_number, ids))
        case QuantitySet(quantity=level):
            return Step(Outcome.APPLIED, _at_level(row, level, event, removed))
        case QuantityMoved():
            return _moved(row, event, removed)
    raise TypeError(f"not an event: {event!r}")


def fold(
    row: Row | None,
    events: Iterable[Event],
    names: RemovalNamePolicy = RemovalNamePolicy.IGNORE,
    removed: Removal | None = None,
) -> list[Step]:
    """Apply the events of one product in order, and return the step of each."""
    steps = []
    for event in events:
        step = apply(row, event, names, removed)
        if step.outcome is Outcome.APPLIED:
            row, removed = step.row, step.removed
        steps.append(step)
    return steps


def last_number(state: Row | Removal | None) -> int:
    """The sequence number of the last event that was applied; -1 if none is known."""
    return -1 if state is None or state.sequence_number is None else state.sequence_number


def is_guarded(row: Row | None) -> bool:
    """Whether there is a row, and it says which events it has seen."""
    return row is not None and row.sequence_number is not None


def _has_seen(state: Row | Removal | None, event: Event) -> bool:
    if state is None:
        return False
    if state.sequence_number is not None and event.sequence_number <= state.sequence_number:
        return True
    return event.event_id is not None and event.event_id in state.recent_event_ids


def _rejected(row: Row, field: str, problem: str, kind: str) -> Step:
    return Step(Outcome.REJECTED, row, f"{field} {problem}", f"{field}.{kind}")


def _moved(row: Row, event: QuantityMoved, removed: Removal | None) -> Step:
    field = "product.quantity_change"
    if isinstance(row.quantity, str):
        return _rejected(row, field, "finds no whole number in the row", "not_whole")
    level = row.quantity + event.change
    if level < 0:
        return _rejected(row, field, "goes below zero", "below_zero")
    if level > MAX_LEVEL:
        return _rejected(row, field, "goes above 38 digits", "too_high")
    return Step(Outcome.APPLIED, _at_level(row, level, event, removed))


def _at_level(row: Row, level: int, event: Event, removed: Removal | None) -> Row:
    kept = {name: value for name, value in row.foreign.items() if name not in _CHANGED}
    return _stamped(replace(row, quantity=level, foreign=kept), event, row, removed)


def _stamped(row: Row, event: Event, before: Row | None, removed: Removal | None) -> Row:
    return replace(
        row,
        sequence_number=event.sequence_number,
        recent_event_ids=_remembered(event, before, removed),
    )


def _remembered(event: Event, row: Row | None, removed: Removal | None) -> tuple[str, ...]:
    ids = [event_id for state in (removed, row) if state for event_id in state.recent_event_ids]
    if event.event_id is not None:
        ids.append(event.event_id)
    return tuple(ids[-RECENT_EVENT_IDS:])
