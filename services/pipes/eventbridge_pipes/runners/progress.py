"""How far a shard is done with, when its records are not done with in order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from eventbridge_pipes.record import Record


class _Outstanding(NamedTuple):
    """`before` is the sequence number that was read before the record, None for the first."""

    before: str | None
    arrived: float


class Progress:
    """The records that were read and are not done with.

    Lanes finish in any order, and what filters leave out is never begun: reading must go on after
    the last record that has nothing outstanding before it.
    """

    def __init__(self) -> None:
        # An ordered dictionary finds its oldest entry at once, however many went before it.
        self._outstanding: OrderedDict[str, _Outstanding] = OrderedDict()
        self._last: str | None = None

    def read(self, page: Sequence[Record], kept: Sequence[Record]) -> None:
        """The shard gave `page`, and `kept` of it is to be delivered; both in the shard's order."""
        wanted = None if len(kept) == len(page) else {record.sequence_number for record in kept}
        for record in page:
            number = record.sequence_number
            if wanted is None or number in wanted:
                self._outstanding[number] = _Outstanding(self._last, record.arrived)
            self._last = number

    def done(self, records: Sequence[Record]) -> None:
        """Each of `records` was delivered or given up on."""
        for record in records:
            self._outstanding.pop(record.sequence_number, None)

    @property
    def checkpoint(self) -> str | None:
        """The sequence number up to which everything is done with; None when nothing is."""
        for oldest in self._outstanding.values():
            return oldest.before
        return self._last

    @property
    def oldest_arrival(self) -> float | None:
        """When the oldest outstanding record arrived (epoch seconds)."""
        for oldest in self._outstanding.values():
            return oldest.arrived
        return None
