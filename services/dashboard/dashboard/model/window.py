"""Counts and measurements of the last minutes, by second. Pure. Times are in epoch seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from operations.numbers import percentile

WINDOW_SECONDS = 300
SAMPLES_PER_SECOND = 200
"""The rest of a busier second is left out: it changes percentiles little."""

NONE: Counter[str] = Counter()


class Counts:
    """How often each kind of thing happened."""

    def __init__(self) -> None:
        self._seconds: dict[int, Counter[str]] = {}

    def add(self, at: float, counts: Mapping[str, int]) -> None:
        self._seconds.setdefault(int(at), Counter()).update(counts)
        _forget(self._seconds, at)

    def rate(self, now: float, kinds: Iterable[str], seconds: int = 10) -> float:
        """Return the number per second in the last full seconds."""
        end = int(now)
        return sum(self._between(end - seconds, end, kind) for kind in kinds) / seconds

    def total(self, now: float, kind: str, seconds: int) -> int:
        start = int(now) - seconds
        return sum(counts[kind] for second, counts in self._seconds.items() if second >= start)

    def series(self, now: float, kind: str, step: int, steps: int) -> list[float]:
        """Return the number per second in each of the last full `steps`."""
        return [
            self._between(start, start + step, kind) / step for start in _starts(now, step, steps)
        ]

    def _between(self, start: int, end: int, kind: str) -> int:
        return sum(self._seconds.get(second, NONE)[kind] for second in range(start, end))


class Samples:
    """Measurements, and their percentiles."""

    def __init__(self) -> None:
        self._seconds: dict[int, list[float]] = {}

    def add(self, at: float, value: float) -> None:
        samples = self._seconds.setdefault(int(at), [])
        if len(samples) < SAMPLES_PER_SECOND:
            samples.append(value)
        _forget(self._seconds, at)

    def series(self, now: float, share: float, step: int, steps: int) -> list[float | None]:
        """Return a percentile of each of the last full `steps`."""
        found = [self._between(start, start + step) for start in _starts(now, step, steps)]
        return [percentile(samples, share) if samples else None for samples in found]

    def _between(self, start: int, end: int) -> list[float]:
        return [sample for at in range(start, end) for sample in self._seconds.get(at, ())]


def _starts(now: float, step: int, steps: int) -> range:
    end = int(now) // step * step
    return range(end - step * steps, end, step)


def _forget(seconds: dict[int, Any], now: float) -> None:
    if len(seconds) > WINDOW_SECONDS + 1:
        for second in [second for second in seconds if second < int(now) - WINDOW_SECONDS]:
            del seconds[second]
