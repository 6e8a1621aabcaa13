"""What the table must hold after a run: the fold of what was put on the stream. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inventory.event import Event, InvalidEventError, parse
from inventory.stock import Outcome, RemovalNamePolicy, Row, fold


@dataclass(frozen=True, slots=True)
class Expectation:
    """The rows there must be, how many records came to which outcome, and which were rejected."""

    rows: Mapping[str, Row]
    outcomes: Counter[Outcome]
    rejected: frozenset[int]
    """Their sequence numbers."""


def expect(
    rows: Mapping[str, Row], records: Iterable[tuple[int, bytes]], names: RemovalNamePolicy
) -> Expectation:
    """What `records` (sequence number and data, in any order) make of `rows`."""
    products: dict[str, list[Event]] = {}
    rejected: set[int] = set()
    for sequence_number, data in sorted(records):
        try:
            event = parse(data, sequence_number)
        except InvalidEventError:
            rejected.add(sequence_number)
        else:
            products.setdefault(event.product_id, []).append(event)

    after = dict(rows)
    outcomes = Counter({Outcome.REJECTED: len(rejected)})
    for product_id, events in products.items():
        steps = fold(after.pop(product_id, None), events, names)
        if (row := steps[-1].row) is not None:
            after[product_id] = row
        for event, step in zip(events, steps, strict=True):
            outcomes[step.outcome] += 1
            if step.outcome is Outcome.REJECTED:
                rejected.add(event.sequence_number)
    return Expectation(after, outcomes, frozenset(rejected))
