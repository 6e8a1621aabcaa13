"""One batch: decode, validate, fold product by product, publish what is rejected, write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from inventory.event import InvalidEventError
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, is_guarded
from processor.failures import Failures, Rejection
from processor.records import Record
from processor.run import Entry, Result, Run, failed
from processor.writes import Change, Conflict, Unavailable

ROUNDS = 3
"""How often a product is folded, the first time included, while it changes under the write."""


class Table(Protocol):
    """Where the rows are."""

    def read(self, product_ids: Iterable[str]) -> Mapping[str, Row | Unavailable | None]: ...

    def removals(
        self, product_ids: Iterable[str]
    ) -> Mapping[str, Removal | Unavailable | None]: ...

    def write(self, changes: Iterable[Change]) -> Mapping[str, Conflict | Unavailable]: ...


class Processor:
    """Handles batches; the table and the topic are its only ways out."""

    def __init__(self, table: Table, failures: Failures, names: RemovalNamePolicy) -> None:
        self._table = table
        self._failures = failures
        self._names = names

    def process(self, records: Sequence[Record]) -> list[Result]:
        """A result for each record, a product's in stream order.

        A product's events are folded together and its row is written once, if it changes.
        """
        invalid, products = _decoded(records)
        results = self._reject(invalid)
        runs = []
        rows = self._table.read(products)
        removals = self._table.removals(
            p for p, row in rows.items() if not isinstance(row, Unavailable) and not is_guarded(row)
        )
        for product_id, row in rows.items():
            removed = removals.get(product_id)
            if isinstance(row, Unavailable):
                results += failed(products[product_id], row.code)
            elif isinstance(removed, Unavailable):
                results += failed(products[product_id], removed.code)
            else:
                runs.append(Run.of(products[product_id], row, self._names, removed))

        for _ in range(ROUNDS):
            settled, conflicts = self._carry_out(runs)
            results += settled
            if not conflicts:
                return results
            runs = [
                Run.of(products[product_id], conflict.row, self._names, conflict.removed)
                for product_id, conflict in conflicts.items()
            ]
        for product_id in conflicts:
            results += failed(products[product_id], "the row kept changing")
        return results

    def _reject(self, invalid: Sequence[Rejection]) -> list[Result]:
        unpublished = self._failures.publish(invalid)
        results = []
        for rejection in invalid:
            refusal = unpublished.get(rejection.record.event_id)
            outcome = Outcome.REJECTED if refusal is None else Outcome.FAILED
            reason = rejection.reason if refusal is None else refusal
            results.append(
                Result(rejection.record, outcome, reason, rejection.event_id, rejection.product_id)
            )
        return results

    def _carry_out(self, runs: Sequence[Run]) -> tuple[list[Result], dict[str, Conflict]]:
        """The results of the runs that are settled, and what the others came upon: they have to be
        folded anew.

        Rejections are published before anything is written, see Run.stopped_at.
        """
        unpublished = self._failures.publish([r for run in runs for r in run.rejections()])
        changes = [(run, run.change) for run in (run.stopped_at(unpublished) for run in runs)]
        undone = self._table.write([change for _, change in changes if change is not None])
        results: list[Result] = []
        conflicts: dict[str, Conflict] = {}
        for run, change in changes:
            why = undone.get(change.product_id) if change is not None else None
            if isinstance(why, Unavailable):
                results += run.results(unwritten=why.code)
            elif change is None or why is None or why.is_made_by(change):
                results += run.results()
            else:
                conflicts[change.product_id] = why
        return results, conflicts


def _decoded(records: Sequence[Record]) -> tuple[list[Rejection], dict[str, list[Entry]]]:
    """What is no valid event, and the rest by product, each in stream order."""
    invalid: list[Rejection] = []
    products: dict[str, list[Entry]] = {}
    for record in records:
        try:
            event = record.event()
        except InvalidEventError as error:
            invalid.append(
                Rejection(record, str(error), error.event_id, error.product_id, error.code)
            )
        else:
            products.setdefault(event.product_id, []).append(Entry(record, event))
    return invalid, products
