"""A shard as it is worked off: what waits, and the stretches that are done with. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from dashboard.model.entry import Entry

MOST_WAITING = 20_000
MOST_STRETCHES = 500
"""Batches are told of before their records are read here, or after: the latest are remembered."""


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A batch's part of the shard; `failed` of it was not done and comes again."""

    last: int
    first: int
    done_at: float
    failed: frozenset[int] = frozenset()

    def has(self, number: int) -> bool:
        return self.first <= number <= self.last and number not in self.failed


@dataclass
class Shard:
    """Knows records by their sequence numbers."""

    waiting: dict[int, Entry] = field(default_factory=dict)
    read_to: int = -1
    done_to: int = -1
    _stretches: list[Stretch] = field(default_factory=list)

    def arrive(self, entry: Entry) -> bool:
        """Whether it is new; a reader that starts again brings records a second time."""
        number = entry.place[1]
        if number <= self.read_to:
            return False
        self.read_to = number
        self.waiting[number] = entry
        if len(self.waiting) > MOST_WAITING:
            del self.waiting[next(iter(self.waiting))]
        return True

    def cover(self, stretch: Stretch) -> None:
        insort(self._stretches, stretch)
        del self._stretches[:-MOST_STRETCHES]
        self.done_to = max(self.done_to, stretch.last)

    def done(self) -> Iterator[Entry]:
        """Take those that the function is done with, in stream order, each with its time."""
        for number, entry in list(self.waiting.items()):
            if number > self.done_to:
                return
            if (done_at := self._done_at(number)) is not None:
                del self.waiting[number]
                entry.done_at = done_at
                yield entry

    def passed_over(self, before: float) -> Iterator[Entry]:
        """Take those that were given up on: the pipe has gone on to a later batch, which ended
        earlier than `before`, and it goes on only when it is done with what is older."""
        firsts = [stretch.first for stretch in self._stretches if stretch.done_at < before]
        gone_on_to = max(firsts, default=0)
        for number, entry in list(self.waiting.items()):
            if number >= gone_on_to:
                return
            del self.waiting[number]
            yield entry

    def _done_at(self, number: int) -> float | None:
        at = bisect_left(self._stretches, number, key=lambda stretch: stretch.last)
        for stretch in self._stretches[at : at + 8]:  # a few may overlap, when batches come again
            if stretch.has(number):
                return stretch.done_at
        return None
