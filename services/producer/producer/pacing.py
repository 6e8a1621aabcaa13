"""When the next event is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat

NATURAL_GAP = (0.5, 1.5)
CATCH_UP = 1.0


def natural(fraction: Callable[[], float]) -> Iterator[float]:
    """The original's pace: endless gaps between two events of 0.5 to 1.5 s, drawn at random."""
    shortest, longest = NATURAL_GAP
    while True:
        yield shortest + fraction() * (longest - shortest)


def steady(rate: float) -> Iterator[float]:
    """Endless even gaps in seconds, `rate` events per second."""
    return repeat(1 / rate)


def unpaced() -> Iterator[float]:
    """Every event is due at once."""
    return repeat(0.0)


def next_due(due: float, gap: float, now: float) -> float:
    """When the event after the one of `due` is due (seconds of one clock).

    It counts from the due time, not from `now`, so that the rate holds although sending takes
    time; but after a slow answer at most a second's worth of events is made up for.
    """
    return max(due + gap, now - CATCH_UP)
