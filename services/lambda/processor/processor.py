"""One batch: validate the events, apply them per product, publish the rejected ones, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from inventory.event import InvalidEventError
from inventory.stock import Outcome, RemovalNamePolicy
from processor.calls import Unavailable
from processor.product_batch import ProductBatch, RecordedEvent, failed
from processor.records import Record, Result
from processor.rejections import RejectionsTopic
from processor.store import Store
from processor.writes import ProductState

ROUNDS = 3
"""How often the events of a product are applied if its row changes before it is written."""


def process(
    records: Sequence[Record], store: Store, topic: RejectionsTopic, policy: RemovalNamePolicy
) -> list[Result]:
    """Return a result for each record, those of a product in stream order.

    The row of a product is written once, however many events it has.
    """
    invalid, products = _decoded(records)
    unpublished = topic.publish(invalid)
    results = [
        replace(result, outcome=Outcome.FAILED, reason=unpublished[result.record.event_id])
        if result.record.event_id in unpublished
        else result
        for result in invalid
    ]
    states: Mapping[str, ProductState | Unavailable] = store.read(products)
    for _ in range(ROUNDS):
        batches = []
        for product_id, state in states.items():
            if isinstance(state, Unavailable):
                results += failed(products[product_id], state.code)
            else:
                batches.append(ProductBatch.of(products[product_id], state, policy))
        settled, states = _carry_out(batches, store, topic)
        results += settled
        if not states:
            break
    for product_id in states:
        results += failed(products[product_id], "the row kept changing")
    return results


def _carry_out(
    batches: Sequence[ProductBatch], store: Store, topic: RejectionsTopic
) -> tuple[list[Result], dict[str, ProductState]]:
    """Publish the rejected events, then write the changes.

    Return the results, and the new states of products that somebody else has changed. The events
    of those have no results yet.
    """
    unpublished = topic.publish([result for batch in batches for result in batch.rejected])
    stopped = [batch.stopped_at(unpublished) for batch in batches]
    changes = {batch.product_id: batch.change for batch in stopped}
    problems = store.write([change for change in changes.values() if change])
    results: list[Result] = []
    conflicts: dict[str, ProductState] = {}
    for batch in stopped:
        change, problem = changes[batch.product_id], problems.get(batch.product_id)
        if isinstance(problem, Unavailable):
            results += batch.unwritten(problem.code).results
        elif problem is None or change is None or change.has_made(problem):
            results += batch.results
        else:
            conflicts[batch.product_id] = problem
    return results, conflicts


def _decoded(records: Sequence[Record]) -> tuple[list[Result], dict[str, list[RecordedEvent]]]:
    """Return the invalid records as rejected, and the events of the others by product."""
    invalid: list[Result] = []
    products: dict[str, list[RecordedEvent]] = {}
    for record in records:
        try:
            event = record.event()
        except InvalidEventError as e:
            invalid.append(
                Result(record, Outcome.REJECTED, str(e), e.event_id, e.product_id, e.code)
            )
        else:
            products.setdefault(event.product_id, []).append((record, event))
    return invalid, products
