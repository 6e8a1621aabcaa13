"""The load of a plan."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_EVENT = 390_000
"""Bytes: a row, which holds an event's texts and its own guards, has at most 400 KB."""

SMALLEST_EVENT = 60
LONGEST_RETENTION = 8_760


class WorkloadError(Exception):
    """Invalid option values; the message has a line for each option."""


@dataclass(frozen=True)
class Workload:
    """Events a second, as a steady load, and what they are like.

    `hottest` is the share of all events that are of one product, None when all are alike.
    `turnover` is the share that adds a product that has no row or removes one that has. `latency`
    is how many seconds from the put to the row nearly all events may take.
    """

    events_per_second: float
    products: int
    event_bytes: int
    retention_hours: int = 24
    hottest: float | None = None
    turnover: float = 0.2
    latency: float = 3.0

    def __post_init__(self) -> None:
        rate, hottest = self.events_per_second, self.hottest
        least = f"{100 / self.products:.6g}" if self.products else "0"
        retention = 24 <= self.retention_hours <= LONGEST_RETENTION
        size = SMALLEST_EVENT <= self.event_bytes <= MAX_EVENT
        hot = hottest is None or self.products < 1 or 1 / self.products <= hottest <= 1
        checks = (
            (math.isfinite(rate) and 0 < rate <= 1e8, "--events-per-second", "above 0, up to 1e8"),
            (1 <= self.products <= 10**11, "--products", "from 1 to 1e11"),
            (size, "--event-size", f"from {SMALLEST_EVENT} to {MAX_EVENT:,} bytes"),
            (retention, "--retention", "from 24 to 8,760 hours"),
            (0 <= self.turnover <= 1, "--turnover", "from 0 to 100 percent"),
            (1 <= self.latency <= 300, "--latency", "from 1 to 300 seconds"),
            (hot, "--hottest", f"from {least} (all products alike) to 100 percent"),
        )
        if wrong := [f"{option} must be {wanted}" for holds, option, wanted in checks if not holds]:
            raise WorkloadError("\n".join(wrong))

    @property
    def hottest_share(self) -> float:
        return 1 / self.products if self.hottest is None else self.hottest

    @property
    def bytes_per_second(self) -> float:
        return self.events_per_second * self.event_bytes
