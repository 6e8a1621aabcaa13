"""The simulated time of one lane while its delivery is worked out."""

from __future__ import annotations

EPOCH = 1_800_000_000.0
"""Where simulated time begins, in epoch seconds: records bear such times."""


class Clock:
    """Goes on only when it is told to."""

    def __init__(self, now: float = EPOCH) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
