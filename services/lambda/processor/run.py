"""One product's events in a batch: what they come to, and what of it has to be reported. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from inventory.event import Event
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, Step, fold
from processor.failures import Rejection
from processor.records import Record
from processor.writes import Change


@dataclass(frozen=True, slots=True)
class Entry:
    """A record and the valid event that it carries."""

    record: Record
    event: Event


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record, and why where that needs saying."""

    record: Record
    outcome: Outcome
    reason: str | None = None
    event_id: str | None = None
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A product's entries, in stream order, folded onto its row and marker as they were read.

    What is at `end` and after it is not to be done, for `stopped_by`.
    """

    entries: Sequence[Entry]
    before: Row | None
    removed: Removal | None
    steps: Sequence[Step]
    end: int
    stopped_by: str | None = None

    @classmethod
    def of(
        cls,
        entries: Sequence[Entry],
        row: Row | None,
        names: RemovalNamePolicy,
        removed: Removal | None = None,
    ) -> Run:
        """`removed` is the marker of the product's last removal, where it is known."""
        steps = fold(row, (entry.event for entry in entries), names, removed)
        return cls(entries, row, removed, steps, len(entries))

    @property
    def change(self) -> Change | None:
        """What has to be written; None when no event is applied.

        That a product was added and removed again is a change too: it has to be remembered.
        """
        after: Row | Removal | None = None
        for step in self.steps[: self.end]:
            if step.outcome is Outcome.APPLIED:
                after = step.row or step.removed
        if after is None:
            return None
        return Change(self.entries[0].event.product_id, self.before, after, self.removed)

    def rejections(self) -> list[Rejection]:
        return [
            Rejection(
                entry.record,
                step.reason or "",
                entry.event.event_id,
                entry.event.product_id,
                step.code,
            )
            for entry, step in zip(self.entries, self.steps, strict=True)
            if step.outcome is Outcome.REJECTED
        ]

    def stopped_at(self, unpublished: Container[str]) -> Run:
        """The run up to its first rejection that could not be published.

        Had the row a later sequence number than that record, the record would pass for a duplicate
        when it comes again, and its rejection would be lost.
        """
        for place, (entry, step) in enumerate(zip(self.entries, self.steps, strict=True)):
            if step.outcome is Outcome.REJECTED and entry.record.event_id in unpublished:
                return replace(self, end=place, stopped_by="the rejection could not be published")
        return self

    def results(self, unwritten: str | None = None) -> list[Result]:
        """The result of each entry; `unwritten` says why the row could not be written, if so.

        Then all from the first applied event on has failed: what follows builds on it.
        """
        end, why = self.end, self.stopped_by
        if unwritten is not None:
            applied = (i for i, s in enumerate(self.steps) if s.outcome is Outcome.APPLIED)
            end, why = min((end, why), (next(applied), unwritten), key=lambda stop: stop[0])
        done = [
            _result(entry, step.outcome, step.reason)
            for entry, step in zip(self.entries[:end], self.steps[:end], strict=True)
        ]
        return done + failed(self.entries[end:], why or "")


def failed(entries: Sequence[Entry], reason: str) -> list[Result]:
    """The results of entries that nothing was done for."""
    return [_result(entry, Outcome.FAILED, reason) for entry in entries]


def _result(entry: Entry, outcome: Outcome, reason: str | None) -> Result:
    return Result(entry.record, outcome, reason, entry.event.event_id, entry.event.product_id)
