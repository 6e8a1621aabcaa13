"""How long one invocation goes on trying what is unavailable for now, and how often."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The pauses between tries: doubling from `first` to `longest`, in seconds."""

    first: float = 0.1
    longest: float = 5.0

    def pause(self, tries: int, dice: float) -> float:
        """The pause after so many tries that came to nothing.

        `dice`, from 0 to 1, takes up to half of it off: whoever was turned away at the same moment
        does not come back at the same moment.
        """
        whole = min(self.longest, self.first * 2.0 ** min(tries - 1, 30))
        return whole * (1 - dice / 2)


@dataclass(frozen=True, slots=True)
class Patience:
    """The time, until `until` on its clock, in which calls may begin."""

    until: float
    schedule: Schedule = Schedule()
    clock: Clock = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    dice: Clock = random.random

    @property
    def lasts(self) -> bool:
        return self.clock() < self.until

    def wait(self, tries: int) -> bool:
        """Wait before another try; False, at once, when there would be no time left for it."""
        pause = self.schedule.pause(tries, self.dice())
        if pause >= self.until - self.clock():
            return False
        self.sleep(pause)
        return True

    def half(self) -> Patience:
        """Half of the time that is left."""
        now = self.clock()
        return replace(self, until=now + (self.until - now) / 2)


ONE_TRY = Patience(math.inf, Schedule(math.inf, math.inf))
"""Every call is made once."""

NO_TIME = "NoTimeLeft"
"""The code of a call that was not made."""


def budget(remaining: float, margin: float) -> float:
    """For how long calls may begin when an invocation has so many seconds left.

    `margin` is kept for the last call and the answer. Where the time is short it takes no more
    than half: a function that does nothing but stop in time is of no use.
    """
    return max(remaining - margin, remaining / 2)
