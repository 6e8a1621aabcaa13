"""At most one message a second and cause, over all instances, and nothing uncounted.

Every step can be the last one of its invocation: then the message that it handles comes again.
So a crash can have something counted or published twice, and never not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from alerts.cause import Cause, Waiting
from alerts.limit import (
    LEASE_MS,
    SPACING_MS,
    ForgetTick,
    Publish,
    Rest,
    SendTick,
    Tally,
    after_counting,
    on_tick,
)


class Tallies(Protocol):
    """The tally of each cause. All but `add` and `read` change it only if it still is as it was
    seen, and return whether it was."""

    def read(self, cause: Cause) -> Tally: ...

    def add(self, cause: Cause, waiting: Waiting) -> Tally:
        """Add to what waits; the tally after it."""

    def mark(self, cause: Cause, seen: int, at: int) -> bool:
        """A tick is sent for `at`, where `seen` was."""

    def forget(self, cause: Cause, at: int) -> bool:
        """The tick of `at` is over and nothing waits."""

    def claim(self, cause: Cause, seen: int, lease: int) -> Waiting | None:
        """Nobody else publishes until `lease`; what waits, None when somebody was quicker."""

    def settle(self, cause: Cause, told: Waiting, lease: int, quiet_until: int) -> bool:
        """All that waits is told."""

    def settle_part(
        self, cause: Cause, told: Waiting, lease: int, quiet_until: int, tick_at: int
    ) -> bool:
        """`told` is told, and a tick is sent for what has come since; False: the lease is over."""


class Limiter:
    """`send_tick` takes a cause, when it is for, and the delay in ms; `publish` sends a message."""

    def __init__(
        self,
        tallies: Tallies,
        send_tick: Callable[[Cause, int, int], object],
        publish: Callable[[Cause, Waiting], object],
        clock: Callable[[], int],
    ) -> None:
        self._tallies = tallies
        self._send_tick = send_tick
        self._publish = publish
        self._clock = clock

    def count(self, cause: Cause, waiting: Waiting) -> None:
        """Have it told. Raises whatever calls raise; then it is to be counted again."""
        tally = self._tallies.add(cause, waiting)
        while True:
            match after_counting(tally, self._clock()):
                case Rest():
                    return
                case SendTick(at):
                    if self._tick_again(cause, tally, at):
                        return
            tally = self._tallies.read(cause)

    def tick(self, cause: Cause, at: int) -> None:
        """Publish what waits, if it may be now. Raises whatever calls raise; then the tick is to
        come again."""
        while True:
            tally = self._tallies.read(cause)
            match on_tick(tally, at, self._clock()):
                case Rest():
                    return
                case ForgetTick():
                    if self._tallies.forget(cause, at):
                        return
                case SendTick(later):
                    if self._tick_again(cause, tally, later):
                        return
                case Publish():
                    lease = self._clock() + LEASE_MS
                    told = self._tallies.claim(cause, tally.quiet_until, lease)
                    if told is not None:
                        self._tell(cause, told, lease)
                        return

    def _tell(self, cause: Cause, told: Waiting, lease: int) -> None:
        self._publish(cause, told)
        quiet_until = self._clock() + SPACING_MS
        if self._tallies.settle(cause, told, lease, quiet_until):
            return
        if self._tallies.settle_part(cause, told, lease, quiet_until, tick_at=quiet_until):
            self._send_tick(cause, quiet_until, SPACING_MS)

    def _tick_again(self, cause: Cause, tally: Tally, at: int) -> bool:
        """Marked first: who marks it alone sends it, and a tick never comes unmarked."""
        if not self._tallies.mark(cause, tally.tick_at, at):
            return False
        self._send_tick(cause, at, max(0, at - self._clock()))
        return True
