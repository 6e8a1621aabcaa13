"""When a message of one cause may be sent, and who sees to it that it is. Pure.

What occurs is only counted, in a tally; a tick, which is a message of the queue with a delay,
publishes what the tally then holds. While anything waits, one tick is under way. All times are in
whole milliseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

SPACING_MS = 1_000
"""Between the end of one publication and the beginning of the next."""

LEASE_MS = 20_000
"""How long one that publishes keeps others from it: longer than the call can take."""

GRACE_MS = 20_000
"""How late a tick may be before it counts as lost. A message whose handling failed comes again
after the queue's visibility timeout, which is longer than lease, grace and a function's time limit:
then it finds the tick that it did not send to be lost."""

NEVER = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """How much waits, until when nothing is to be published, and for when a tick was sent."""

    waiting: int = 0
    quiet_until: int = NEVER
    tick_at: int = NEVER


@dataclass(frozen=True, slots=True)
class Rest:
    """There is nothing to do, or another tick does it."""


@dataclass(frozen=True, slots=True)
class SendTick:
    at: int


@dataclass(frozen=True, slots=True)
class Publish:
    pass


@dataclass(frozen=True, slots=True)
class ForgetTick:
    """Nothing waits, and no tick is under way any more."""


def after_counting(tally: Tally, now: int) -> Rest | SendTick:
    """What is to be done when something was added to `tally`."""
    tick_comes = tally.tick_at != NEVER and now <= tally.tick_at + GRACE_MS
    if tally.waiting == 0 or tick_comes:
        return Rest()
    return SendTick(max(now, tally.quiet_until))


TickStep: TypeAlias = Rest | SendTick | Publish | ForgetTick


def on_tick(tally: Tally, at: int, now: int) -> TickStep:
    """What a tick that was sent for `at` does when it has come."""
    if tally.waiting == 0:
        return ForgetTick() if tally.tick_at == at else Rest()
    if now >= tally.quiet_until:
        return Publish()
    if tally.tick_at != at:  # another one comes, or who publishes now sees to the rest
        return Rest()
    return SendTick(tally.quiet_until)
