"""The pace: how many events per second to send, which can change during a run."""

from __future__ import annotations

import random
from collections.abc import Callable

NATURAL_GAP = (0.5, 1.5)
MOST_PER_SECOND = 1_000_000


class Pace:
    """`rate` events per second. Without a rate, one event every 0.5 to 1.5 s, the original's pace;
    with `batch`, as many as the stream accepts.

    Another thread may call `set`, which then calls `on_change`.
    """

    def __init__(self, rate: float | None = None, *, batch: bool = False) -> None:
        self.rate = rate
        self.paused = False
        self.changes = 0
        self.on_change: Callable[[], object] = lambda: None
        self._batch = batch

    def gap(self) -> float:
        """Return the seconds between this event and the next."""
        if rate := self.rate:
            return 1 / rate
        return 0.0 if self._batch else random.uniform(*NATURAL_GAP)  # noqa: S311 - no secret

    def set(self, rate: float | None, paused: bool) -> None:
        self.rate, self.paused = rate, paused
        self.changes += 1
        self.on_change()
