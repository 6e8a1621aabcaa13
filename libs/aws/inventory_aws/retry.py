"""How long to wait before a retry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses in seconds, which double from `first` to `longest`."""

    first: float = 0.05
    longest: float = 5.0

    def pause(self, attempt: int, fraction: float) -> float:
        """The pause after failure number `attempt` (1 is the first) in a row.

        `fraction` (0 ≤ fraction < 1) takes up to half of it away, so that clients that failed
        together do not all retry at the same moment.
        """
        doublings = min(attempt - 1, 30)
        return min(self.longest, self.first * 2.0**doublings) * (1 - fraction / 2)
