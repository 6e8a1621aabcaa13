"""What is to be carried."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_EVENT = 390_000
"""Bytes: a row, which holds an event's texts and its own guards, has at most 400 KB."""

SMALLEST_EVENT = 60
LONGEST_RETENTION = 8_760


class WorkloadError(Exception):
    """It makes no sense, or AWS does not take it; the message names the option."""


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
        rate = self.events_per_second
        _check(math.isfinite(rate) and 0 < rate <= 1e8, "--events-per-second", "above 0, to 1e8")
        _check(1 <= self.products <= 10**11, "--products", "1 to 1e11")
        _check(
            SMALLEST_EVENT <= self.event_bytes <= MAX_EVENT,
            "--event-size",
            f"{SMALLEST_EVENT} to {MAX_EVENT:,} bytes",
        )
        _check(24 <= self.retention_hours <= LONGEST_RETENTION, "--retention", "24 to 8,760 hours")
        _check(0 <= self.turnover <= 1, "--turnover", "0 to 100 percent")
        _check(1 <= self.latency <= 300, "--latency", "1 to 300 seconds")
        _check(
            self.hottest is None or 1 / self.products <= self.hottest <= 1,
            "--hottest",
            f"{100 / self.products:.6g} (all products alike) to 100 percent",
        )

    @property
    def hottest_share(self) -> float:
        return 1 / self.products if self.hottest is None else self.hottest

    @property
    def bytes_per_second(self) -> float:
        return self.events_per_second * self.event_bytes


def _check(holds: bool, option: str, takes: str) -> None:
    if not holds:
        raise WorkloadError(f"{option} takes {takes}")
