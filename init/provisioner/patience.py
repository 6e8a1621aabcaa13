"""Waiting for AWS to reach a state: how long at most, how often to look, and giving up early."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

from provisioner.errors import ResourceError

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 2.0
_GROWTH = 1.3


class AbandonedError(Exception):
    """The run is being stopped: nothing more is waited for."""


class Patience:
    """A deadline for each resource, in seconds, and one way to stop all waiting."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._abandoned = Event()

    def abandon(self) -> None:
        """Make every pause, present and future, end with AbandonedError."""
        self._abandoned.set()

    def start(self) -> Callable[[str], None]:
        """A pause between two looks at one resource, a little longer each time it is called.

        It is told what is being waited for, and raises ResourceError saying so after the deadline.
        """
        deadline = self._clock() + self._seconds
        length = _FIRST_PAUSE

        def pause(reason: str) -> None:
            nonlocal length
            if self._clock() >= deadline:
                raise ResourceError(f"{reason}, after {self._seconds:g} s")
            if self._abandoned.wait(length):
                raise AbandonedError
            length = min(length * _GROWTH, _LONGEST_PAUSE)

        return pause
