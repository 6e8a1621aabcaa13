"""What the shards of a process that are awake may ask for in vain: together, a third of the time.

Many emulators answer one call after the other. Sixteen shards that are empty, each of them asking
for a third of the time, would leave nothing for the calls that deliver the records of the others.
Sleeping shards have a thread in common, and a third of the time for themselves: a shard that has
just woken up does not keep the others asleep for longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from eventbridge_pipes.runners import polling


class Budget:
    """One for all shards that ask the same server."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._spent_until = 0.0

    def rest(self, took: float) -> float:
        """Seconds until the shard may ask again that waited `took` seconds for nothing."""
        with self._lock:
            now = self._monotonic()
            self._spent_until = max(self._spent_until, now) + polling.rest(took)
            return self._spent_until - now
