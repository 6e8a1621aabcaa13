"""Numbers: in words, and percentiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from inventory.stock import Outcome


def counted(count: int, noun: str) -> str:
    """Return a number of things in words: 1 event, 2,000 events."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def outcomes(counts: Mapping[Outcome, int]) -> str:
    """Return each outcome with its count. `failed` counts attempts; it shows unless it is 0."""
    shown = [o for o in Outcome if o is not Outcome.FAILED or counts[o]]
    return ", ".join(f"{o.value.replace('_', ' ')} {counts[o]}" for o in shown)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of `values` do not exceed; there must be one value."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]
