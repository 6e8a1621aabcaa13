"""The time of a soak."""

from __future__ import annotations

import time


class Clock:
    """Stands at 0 until it is started."""

    def __init__(self) -> None:
        self._started: float | None = None

    def start(self) -> None:
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """In seconds."""
        return 0.0 if self._started is None else time.monotonic() - self._started
