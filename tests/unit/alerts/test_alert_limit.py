"""At most one message a second and cause; everything counted; the tail of a storm told too.

Instances run interleaved: at each of their calls any other delivery may be handled meanwhile, or
the invocation may end there and its message come again.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.cause import Cause, Kind, Waiting
from alerts.limit import GRACE_MS, LEASE_MS, NEVER, SPACING_MS, Tally
from alerts.limiter import Limiter
from fuzzing import tries

VISIBILITY_MS = 120_000
INVOCATION_MS = 30_000
CAUSES = [Cause(Kind.REJECTED, "data.not_json"), Cause(Kind.DEAD_LETTER, "RetryAttemptsExhausted")]


class CrashError(Exception):
    pass


@dataclasses.dataclass
class World:
    """The table, the queue and the topic, on a clock that only waiting moves."""

    on_call: Callable[[World], None]
    now: int = 1_000_000
    tallies: dict[Cause, Tally] = dataclasses.field(default_factory=lambda: defaultdict(Tally))
    queue: list[tuple[int, Cause, int | None, int]] = dataclasses.field(default_factory=list)
    published: list[tuple[int, Cause, int]] = dataclasses.field(default_factory=list)

    def limiter(self) -> Limiter:
        return Limiter(self, self.send_tick, self.publish, lambda: self.now)

    def read(self, cause: Cause) -> Tally:
        self.on_call(self)
        return self.tallies[cause]

    def change(
        self, cause: Cause, holds: Callable[[Tally], bool], to: Callable[[Tally], Tally]
    ) -> bool:
        """An update on a condition. What happens meanwhile happens before it or after it."""
        self.on_call(self)
        tally = self.tallies[cause]
        if done := holds(tally):
            self.tallies[cause] = to(tally)
        self.on_call(self)
        return done

    def add(self, cause: Cause, waiting: Waiting) -> Tally:
        after: list[Tally] = []

        def more(tally: Tally) -> Tally:
            after.append(replace(tally, waiting=tally.waiting + waiting.count))
            return after[0]

        self.change(cause, lambda tally: True, more)
        return after[0]

    def mark(self, cause: Cause, seen: int, at: int) -> bool:
        return self.change(cause, lambda t: t.tick_at == seen, lambda t: replace(t, tick_at=at))

    def forget(self, cause: Cause, at: int) -> bool:
        return self.change(
            cause, lambda t: (t.waiting, t.tick_at) == (0, at), lambda t: replace(t, tick_at=NEVER)
        )

    def claim(self, cause: Cause, seen: int, lease: int) -> Waiting | None:
        counts: list[int] = []

        def take(tally: Tally) -> Tally:
            counts.append(tally.waiting)
            return replace(tally, quiet_until=lease)

        done = self.change(cause, lambda t: t.quiet_until == seen, take)
        return Waiting(counts[0], 0, 0, []) if done else None

    def settle(self, cause: Cause, told: Waiting, lease: int, quiet_until: int) -> bool:
        return self.change(
            cause,
            lambda t: (t.waiting, t.quiet_until) == (told.count, lease),
            lambda t: Tally(0, quiet_until, NEVER),
        )

    def settle_part(
        self, cause: Cause, told: Waiting, lease: int, quiet_until: int, tick_at: int
    ) -> bool:
        return self.change(
            cause,
            lambda t: t.quiet_until == lease,
            lambda t: Tally(t.waiting - told.count, quiet_until, tick_at),
        )

    def send_tick(self, cause: Cause, at: int, delay_ms: int) -> None:
        self.on_call(self)
        seconds = -(-delay_ms // 1000)
        self.queue.append((self.now + seconds * 1000, cause, at, 0))
        self.on_call(self)

    def publish(self, cause: Cause, waiting: Waiting) -> None:
        self.on_call(self)
        self.published.append((self.now, cause, waiting.count))
        self.on_call(self)

    def due(self) -> list[int]:
        return [place for place, (at, *_) in enumerate(self.queue) if at <= self.now]

    def deliver(self, place: int) -> None:
        """Handle a message; when the invocation ends early, it shows again later."""
        _, cause, at, count = message = self.queue.pop(place)
        received = self.now
        try:
            if at is None:
                self.limiter().count(cause, Waiting(count, 0, 0, []))
            else:
                self.limiter().tick(cause, at)
        except CrashError:
            self.queue.append((received + VISIBILITY_MS, *message[1:]))

    def run_out(self) -> None:
        """Let everything that is under way come to its end."""
        self.on_call = lambda world: None
        while self.queue:
            self.now = max(self.now, min(at for at, *_ in self.queue))
            self.deliver(self.due()[0])


def at_every_call(data: st.DataObject, crashes: bool) -> Callable[[World], None]:
    depth = 0

    def on_call(world: World) -> None:
        nonlocal depth
        step = data.draw(st.integers(0, 11 if crashes else 9))
        if step >= 10:
            raise CrashError
        world.now += [0, 0, 1, 7, 300, 0, 0, 0, 0, 0][step]
        if step >= 6 and depth < 3 and (due := world.due()):
            depth += 1
            try:
                world.deliver(data.draw(st.sampled_from(due)))
            finally:
                depth -= 1

    return on_call


FAILURES = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 10, 400, 999, 1000, 1001, 5000, 200_000]),
        st.sampled_from(CAUSES),
        st.integers(1, 100),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("crashes", [False, True])
@given(data=st.data(), failures=FAILURES)
@tries(100)
def test_one_message_a_second_and_cause_and_nothing_uncounted(
    crashes: bool, data: st.DataObject, failures: list[tuple[int, Cause, int]]
) -> None:
    world = World(at_every_call(data, crashes))
    for pause, cause, count in failures:
        world.now += pause
        world.queue.append((world.now, cause, None, count))
        if data.draw(st.booleans()) and (due := world.due()):
            world.deliver(data.draw(st.sampled_from(due)))
    world.run_out()

    for cause in CAUSES:
        times = [at for at, told, _ in world.published if told == cause]
        assert all(b - a >= SPACING_MS for a, b in pairwise(times))
        told = sum(count for _, what, count in world.published if what == cause)
        happened = sum(count for _, what, count in failures if what == cause)
        assert told >= happened if crashes else told == happened
        assert world.tallies[cause].waiting == 0
        assert world.tallies[cause].tick_at == NEVER or crashes


def test_a_storm_costs_a_message_and_a_tick_a_second() -> None:
    world = World(lambda world: None)
    for n in range(3000):  # three seconds
        world.now += 1
        world.queue.append((world.now, CAUSES[0], None, 1))
        for place in reversed(world.due()):
            world.deliver(place)
        assert sum(at is not None for _, _, at, _ in world.queue) <= 1, n
    world.run_out()
    assert len(world.published) == 4
    assert sum(count for *_, count in world.published) == 3000


def test_the_first_is_told_at_once() -> None:
    world = World(lambda world: None)
    world.queue.append((world.now, CAUSES[0], None, 1))
    world.run_out()
    assert world.published == [(1_000_000, CAUSES[0], 1)]


def test_a_message_comes_again_only_when_a_tick_that_it_did_not_send_counts_as_lost() -> None:
    assert VISIBILITY_MS > INVOCATION_MS + LEASE_MS + GRACE_MS
