"""How much memory a process has, minute by minute, and whether that grows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

MIB = 1024 * 1024
ALLOWED_MIB = 8.0
ALLOWED_SHARE = 0.10
"""What an allocator may take without anything growing: the greater of the two."""


@dataclass(frozen=True)
class Growth:
    """`minutes` are the medians of the full minutes, in MiB, the first one first."""

    minutes: tuple[float, ...]

    @property
    def is_known(self) -> bool:
        """The first minute is for starting; from the second on there must be two to compare."""
        return len(self.minutes) >= 3

    @property
    def mib(self) -> float:
        """From the second minute to the last."""
        return self.minutes[-1] - self.minutes[1] if self.is_known else 0.0

    @property
    def is_too_much(self) -> bool:
        return self.is_known and self.mib > max(ALLOWED_MIB, ALLOWED_SHARE * self.minutes[1])


def growth(samples: Iterable[tuple[float, int]], seconds: float) -> Growth:
    """`samples` are seconds since the beginning and bytes; `seconds` is how long it went on."""
    by_minute: dict[int, list[int]] = defaultdict(list)
    for at, size in samples:
        by_minute[int(at // 60)].append(size)
    full: Sequence[int] = range(int(seconds // 60))
    return Growth(tuple(median(by_minute[minute]) / MIB for minute in full if by_minute[minute]))
