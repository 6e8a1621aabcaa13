"""Waiting on a condition with a deadline, in place of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

GROWTH, LONGEST_PAUSE = 1.2, 0.25
"""Whoever waits for long asks seldom: what is asked has other things to do."""


def eventually(probe: Callable[[], T], timeout: float = 20.0, pause: float = 0.02) -> T:
    """The first true value of `probe()`; fails after `timeout` seconds with the last one seen.

    An AssertionError of the probe counts as "not yet", and is the failure shown at the deadline.
    """
    deadline = time.monotonic() + timeout
    while True:
        failure: AssertionError | None = None
        value: T | None = None
        try:
            value = probe()
            if value:
                return value
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            message = f"not true within {timeout:g} s; last seen: {value!r}"
            raise failure or AssertionError(message)
        time.sleep(pause)
        pause = max(pause, min(pause * GROWTH, LONGEST_PAUSE))
