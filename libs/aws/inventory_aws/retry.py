"""How long to wait before records are sent again, and when to give up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """Back-off in seconds: it doubles from `first` to `longest`. `give_up_after` bounds how long
    the oldest event may stay unaccepted after it was first sent."""

    first: float = 0.05
    longest: float = 5.0
    give_up_after: float = 60.0

    def pause(self, attempt: int, fraction: float) -> float:
        """Seconds to wait after failure number `attempt` (1 is the first) in a row.

        `fraction` (0 ≤ fraction < 1) takes up to half of it away, so that producers that were
        refused together do not come back together.
        """
        doublings = min(attempt - 1, 30)
        return min(self.longest, self.first * 2.0**doublings) * (1 - fraction / 2)
