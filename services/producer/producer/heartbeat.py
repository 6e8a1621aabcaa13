"""The heartbeat file, from which a health check learns whether events are accepted.

python -m producer.heartbeat FILE     exits with 0 if they are, else with 1
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from pathlib import Path

ALLOWANCE_SECONDS = 30.0
"""How long nothing may be accepted, beside the time that a slow pace takes anyway."""

SHORTEST_SECONDS = 1.0


class Heartbeat:
    """Writes to `path` until when the last accepted event counts; one is due every `gap` seconds.

    Empties the file of an earlier run. Raises OSError if it cannot write it.
    """

    def __init__(
        self, path: Path | None, gap: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._counts_for = ALLOWANCE_SECONDS + 2 * gap
        self._clock = clock
        self._last = -inf
        if path:
            path.write_text("")

    def beat(self) -> None:
        """Note that an event was accepted; writes once a second at most."""
        now = self._clock()
        if self._path and now - self._last >= SHORTEST_SECONDS:
            self._last = now
            with suppress(OSError):  # events go on, and the health check fails by itself
                self._path.write_text(f"{now + self._counts_for:.0f}\n")


def problem(path: Path, now: float) -> str | None:
    """Return why the producer is unhealthy; None if events are accepted."""
    try:
        until = float(path.read_text())
    except (OSError, ValueError):
        return "no event was accepted yet"
    over = f"no event was accepted for too long: {now - until:.0f} s over the limit"
    return over if now > until else None


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m producer.heartbeat FILE", file=sys.stderr)
        return 2
    found = problem(Path(arguments[0]), time.time())
    print(found or "events are accepted")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
