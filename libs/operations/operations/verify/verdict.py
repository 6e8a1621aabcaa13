"""What a verification comes to: counts, and differences with the events behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import StrEnum

from inventory.stock import Row
from inventory.stream import Place
from operations.verify.explanation import Fate


class Problem(StrEnum):
    """What can be wrong."""

    ROW = "the row is not what its events produce"
    BEHIND = "the row does not have these events"
    NO_REJECTION = "rejected, but not in the rejected queue"
    REJECTED_TOO = "in the rejected queue, although its events do not cause a rejection"


@dataclass(frozen=True, slots=True)
class Trace:
    """An event of a difference; `fate` is what should have become of it."""

    place: Place
    event_type: str
    event_id: str | None
    fate: Fate


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as it must be. `since` is the first record it is about, None: all of them."""

    problem: Problem
    product_id: str | None
    since: Place | None
    traces: tuple[Trace, ...]
    expected: Row | None = None
    found: Row | None = None

    @property
    def key(self) -> tuple[Problem, str | None, Place | None]:
        """What stays the same while other events come in."""
        return self.problem, self.product_id, self.since


@dataclass(frozen=True)
class Verdict:
    """Of all records of the stream: how many have which fate, and what is wrong.

    `put_again` counts those rejected or dead-lettered that have left their queue for the stream,
    `applied_after_all` those dead-lettered that the table shows to be applied, `rows` those
    checked, and `older_rows` those that cannot be: the stream does not have their events.
    `extended_rows` have attributes that somebody else added.
    """

    fates: Counter[Fate] = field(default_factory=Counter)
    put_again: Counter[Fate] = field(default_factory=Counter)
    applied_after_all: int = 0
    rows: int = 0
    older_rows: int = 0
    extended_rows: int = 0
    differences: tuple[Difference, ...] = ()

    def about(self, places: Collection[Place]) -> Verdict:
        """The same without the differences that begin with other records than these."""
        kept = tuple(d for d in self.differences if d.since is None or d.since in places)
        return replace(self, differences=kept)
