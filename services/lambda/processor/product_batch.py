"""The events of one product in a batch: their results, and the change of the product's row."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from inventory.event import Event
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, Step, fold
from processor.records import Record, Result
from processor.writes import Change, ProductState

RecordedEvent: TypeAlias = tuple[Record, Event]


@dataclass(frozen=True, slots=True)
class ProductBatch:
    """The results of a product's events, in stream order. `state` is what they were applied to."""

    product_id: str
    state: ProductState
    steps: Sequence[Step]
    results: Sequence[Result]

    @classmethod
    def of(
        cls, events: Sequence[RecordedEvent], state: ProductState, policy: RemovalNamePolicy
    ) -> ProductBatch:
        steps = fold(state.row, (event for _, event in events), policy, state.removed)
        results = [
            Result(record, s.outcome, s.reason, event.event_id, event.product_id, s.code)
            for (record, event), s in zip(events, steps, strict=True)
        ]
        return cls(events[0][1].product_id, state, steps, results)

    @property
    def change(self) -> Change | None:
        """What has to be written, or None if no event is applied.

        A product that was added and removed again is a change, too: the removal is remembered.
        """
        after: Row | Removal | None = None
        for result, step in zip(self.results, self.steps, strict=True):
            if result.outcome is Outcome.APPLIED:
                after = step.row or step.removed
        return None if after is None else Change(self.product_id, self.state, after)

    @property
    def rejected(self) -> list[Result]:
        return [result for result in self.results if result.outcome is Outcome.REJECTED]

    def stopped_at(self, unpublished: Container[str]) -> ProductBatch:
        """Fail all from the first rejected event on that was not published.

        If the row got a later sequence number, the retry of that event would count as a duplicate,
        and its rejection would be lost.
        """
        for place, result in enumerate(self.results):
            if result.outcome is Outcome.REJECTED and result.record.event_id in unpublished:
                return self._failed_from(place, "the rejection could not be published")
        return self

    def unwritten(self, reason: str) -> ProductBatch:
        """Fail all from the first applied event on: what follows it builds on it."""
        outcomes = [result.outcome for result in self.results]
        return self._failed_from(outcomes.index(Outcome.APPLIED), reason)

    def _failed_from(self, place: int, reason: str) -> ProductBatch:
        failed = [replace(r, outcome=Outcome.FAILED, reason=reason) for r in self.results[place:]]
        return replace(self, results=[*self.results[:place], *failed])


def failed(events: Sequence[RecordedEvent], reason: str) -> list[Result]:
    """Return the results of events that nothing was done for."""
    return [
        Result(record, Outcome.FAILED, reason, event.event_id, event.product_id)
        for record, event in events
    ]
