"""The last minutes, second by second, in bounded memory. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

WINDOW_SECONDS = 300
SAMPLES_A_SECOND = 200
"""Of a busier second the rest is left out: percentiles change little by it."""


@dataclass
class Counts:
    """How often something happened, by kind and second. Times in epoch seconds."""

    _seconds: dict[int, Counter[str]] = field(default_factory=dict)

    def add(self, at: float, counts: Mapping[str, int]) -> None:
        self._seconds.setdefault(int(at), Counter()).update(counts)
        _forget(self._seconds, at)

    def rate(self, now: float, kinds: Iterable[str], seconds: int = 10) -> float:
        """Per second, over the last `seconds` full ones."""
        wanted = list(kinds)
        end = int(now)
        empty: Counter[str] = Counter()
        buckets = (self._seconds.get(second, empty) for second in range(end - seconds, end))
        return sum(bucket[kind] for bucket in buckets for kind in wanted) / seconds

    def total(self, now: float, kind: str, seconds: int = WINDOW_SECONDS) -> int:
        start = int(now) - seconds
        return sum(bucket[kind] for second, bucket in self._seconds.items() if second >= start)

    def series(self, now: float, kind: str, step: int, steps: int) -> list[float]:
        """Per second, for each of `steps` stretches of `step` seconds, the last one just over."""
        end = int(now) // step * step
        empty: Counter[str] = Counter()
        return [
            sum(self._seconds.get(second, empty)[kind] for second in range(start, start + step))
            / step
            for start in range(end - step * steps, end, step)
        ]


@dataclass
class Samples:
    """Measurements by second, and their percentiles."""

    _seconds: dict[int, list[float]] = field(default_factory=dict)

    def add(self, at: float, value: float) -> None:
        bucket = self._seconds.setdefault(int(at), [])
        if len(bucket) < SAMPLES_A_SECOND:
            bucket.append(value)
        if len(self._seconds) > WINDOW_SECONDS:
            _forget(self._seconds, at)

    def percentile(self, now: float, share: float, seconds: int = 30) -> float | None:
        end = int(now) + 1
        return percentile(self._between(end - seconds, end), share)

    def series(self, now: float, share: float, step: int, steps: int) -> list[float | None]:
        """A percentile of each of `steps` stretches, the last one just over."""
        end = int(now) // step * step
        return [
            percentile(self._between(start, start + step), share)
            for start in range(end - step * steps, end, step)
        ]

    def _between(self, start: int, end: int) -> list[float]:
        return [value for second in range(start, end) for value in self._seconds.get(second, ())]


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that `share` (0 to 1) of them do not exceed; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _forget(seconds: dict[int, Any], now: float) -> None:
    oldest = int(now) - WINDOW_SECONDS
    if len(seconds) > WINDOW_SECONDS:
        for second in [second for second in seconds if second < oldest]:
            del seconds[second]
