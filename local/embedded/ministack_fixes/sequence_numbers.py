"""The sequence numbers of MiniStack, which grow even when the clock is set back.

As it comes, MiniStack numbers the records of Kinesis and of the tables' streams by the clock. The
function then takes each later event of a product for a duplicate, until the clock has caught up.
Here each number is greater than all before it. The last one is saved, so this holds after a restart
too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb, kinesis

State = dict[str, Any]

LAST = "last_sequence_number"


class SequenceNumbers:
    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def take(self) -> str:
        """Return the next number, in MiniStack's format: 20 digits of milliseconds, then 10."""
        with self._lock:
            self._last = max(self._last + 1, int(time.time() * 1000) * 10**10)
            return f"{self._last:030}"

    def saving(self, get_state: Callable[[], State]) -> Callable[[], State]:
        return lambda: get_state() | {LAST: self._last}

    def restoring(self, load: Callable[[State], None]) -> Callable[[State], None]:
        def loaded(state: State) -> None:
            self._last = max(self._last, state.get(LAST, 0))
            load(state)

        return loaded


def only_grow() -> None:
    """Put it right in the modules of this process: to be called before MiniStack serves."""
    numbers = SequenceNumbers()
    kinesis._next_sequence_number = dynamodb._next_stream_seq = numbers.take
    for service in (kinesis, dynamodb):
        service.get_state = numbers.saving(service.get_state)
        service.load_persisted_state = numbers.restoring(service.load_persisted_state)
