"""The expected rows: what events produce. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from inventory.event import Event, InvalidEventError, parse_record
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, fold


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected rows, the outcomes, and the sequence numbers of the applied and the rejected
    records."""

    rows: Mapping[str, Row]
    outcomes: Counter[Outcome]
    applied: frozenset[int]
    rejected: frozenset[int]


def expect(
    rows: Mapping[str, Row],
    records: Iterable[tuple[int, str, bytes]],
    names: RemovalNamePolicy,
    removals: Mapping[str, Removal] = MappingProxyType({}),
) -> Expectation:
    """Apply `records` (sequence number, partition key and data, in any order) to `rows`.

    `removals` are the markers of removed products.
    """
    products: dict[str, list[Event]] = {}
    numbers: dict[Outcome, set[int]] = {outcome: set() for outcome in Outcome}
    for sequence_number, key, data in sorted(records):
        try:
            event = parse_record(data, key, sequence_number)
        except InvalidEventError:
            numbers[Outcome.REJECTED].add(sequence_number)
        else:
            products.setdefault(event.product_id, []).append(event)

    after = dict(rows)
    for product_id, events in products.items():
        steps = fold(after.pop(product_id, None), events, names, removals.get(product_id))
        if (row := steps[-1].row) is not None:
            after[product_id] = row
        for event, step in zip(events, steps, strict=True):
            numbers[step.outcome].add(event.sequence_number)
    return Expectation(
        rows=after,
        outcomes=Counter({outcome: len(of) for outcome, of in numbers.items() if of}),
        applied=frozenset(numbers[Outcome.APPLIED]),
        rejected=frozenset(numbers[Outcome.REJECTED]),
    )
