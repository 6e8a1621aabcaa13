"""A sign of life that a health check can read: until when the last accepted event counts.

python -m producer.heartbeat FILE     exit code 0 while it does, else 1
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

ALLOWANCE_SECONDS = 30.0
"""How long nothing may be accepted, beside the time that a slow pace takes anyway."""

SHORTEST_SECONDS = 1.0


class Heartbeat:
    """Keeps `path` up to date, a second behind at most; an event is due every `gap` seconds.

    A beat that cannot be written down stops no event: `on_trouble` hears of the first in a row,
    and the check turns bad by itself.
    """

    def __init__(
        self,
        path: Path,
        gap: float,
        on_trouble: Callable[[OSError], object],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Forgets what an earlier run has left. Raises OSError when `path` cannot be written."""
        path.write_text("")
        self._path = path
        self._counts_for = ALLOWANCE_SECONDS + 2 * gap
        self._on_trouble = on_trouble
        self._clock = clock
        self._last = -math.inf
        self._in_trouble = False

    def beat(self) -> None:
        """An event was accepted."""
        now = self._clock()
        if now - self._last < SHORTEST_SECONDS:
            return
        self._last = now
        try:
            self._path.write_text(f"{now + self._counts_for:.0f}\n")
            self._in_trouble = False
        except OSError as error:
            if not self._in_trouble:
                self._on_trouble(error)
            self._in_trouble = True


def verdict(path: Path, now: float) -> tuple[bool, str]:
    """Whether the producer gets its events accepted, and a line that says so."""
    try:
        until = float(path.read_text())
    except (OSError, ValueError):
        return False, "no event was accepted yet"
    if now > until:
        return False, f"no event was accepted for too long: {now - until:.0f} s over the limit"
    return True, "events are accepted"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m producer.heartbeat FILE", file=sys.stderr)
        return 2
    alive, line = verdict(Path(arguments[0]), time.time())
    print(line)
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
