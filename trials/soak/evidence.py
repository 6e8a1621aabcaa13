"""What a soak leaves behind to be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """A record that a pipe is to deliver, or to give up on when it is `poison`."""

    number: int
    shard: str
    key: str
    poison: bool = False


@dataclass
class Call:
    """A call that a target carried out; times are monotonic seconds.

    `records` are the sequence numbers in their order, `taken` those that did not fail. `answered`
    is when the answer had been written to its end: None for one that was lost. `altered` came in
    other words than they were put. `life` is which life of the service called, from 0.
    """

    life: int
    begun: float
    records: tuple[int, ...]
    taken: frozenset[int]
    answered: float | None = None
    altered: tuple[int, ...] = ()


@dataclass
class GivenUp:
    """Records that a message in the dead-letter queue names; the times are as in Call."""

    life: int
    records: tuple[int, ...]
    answered: float | None = None


@dataclass(frozen=True)
class Evidence:
    """All that is known of one pipe.

    `expected` is in the order of the stream; `calls` in the order in which they were carried out.
    `kills` are when the first life of the service ended, the second…
    """

    expected: Sequence[Expected]
    calls: Sequence[Call]
    given_up: Sequence[GivenUp] = ()
    kills: Sequence[float] = ()
