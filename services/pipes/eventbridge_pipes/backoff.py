"""Pauses between tries that fail, and which of the failures to log."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0


def growing_pause(tries: int, jitter: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait after so many failed tries.

    The pause doubles with each try, up to a limit. `jitter` returns a number from 0 to 1. It
    picks a point between half of the pause and all of it, so that clients that failed together
    do not try again together.
    """
    doublings = min(max(0, tries - 1), 16)
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**doublings)
    return pause * (1 + jitter()) / 2


def should_log(failures: int) -> bool:
    """Return whether to log a failure: the first in a row, the second, the fourth, and so on."""
    return failures & (failures - 1) == 0
