"""Carries a plan out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from soak import traffic
from soak.clock import Clock
from soak.faults import Faults
from soak.kinesis import Kinesis
from soak.plan import Plan, Reshard, plan
from soak.stream import Stream
from soak.verdict import Verdict, lost, verdict
from soak.world import World, world

SHARDS = 4
TICK_SECONDS = 0.05
TELL_SECONDS = 10.0
DRAIN_SECONDS = 180.0
"""How long the pipes may take for what is left when no more is put."""


@dataclass
class Soak:
    """`mortal` is the service that is killed, `steady` the one that lives on."""

    seed: int
    seconds: float
    rate: float
    plan: Plan
    clock: Clock
    stream: Stream
    kinesis: Kinesis
    mortal: World
    steady: World
    resharded: list[str] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    @property
    def worlds(self) -> tuple[World, World]:
        return self.mortal, self.steady

    def run(self, tell: Callable[[str], None]) -> None:
        """Until everything that was put has come out again, or could have."""
        for each in self.worlds:
            each.begin()
        self.clock.start()
        with ThreadPoolExecutor(1) as aside:
            killing = aside.submit(self._kill)
            try:
                self._put(tell)
            finally:
                self.over.set()
            killing.result()
        for each in self.worlds:
            each.front.faults.stopped = True
        self._drain()
        tell(self.status())

    def verdicts(self) -> dict[str, Verdict]:
        """By pipe and service."""
        records = list(self.stream.records.values())
        return {
            f"{pipe}, {each.name}": verdict(evidence)
            for each in self.worlds
            for pipe, evidence in each.evidence(records).items()
        }

    def status(self) -> str:
        put = len(self.stream.records)
        taken = " and ".join(f"{each.handed_over()} ({each.name})" for each in self.worlds)
        return (
            f"{self.clock.elapsed:5.0f} s: {put} records put, {taken} taken, "
            f"{len(self.mortal.kills)} kills, {len(self.resharded)} reshards, "
            f"{len(self.stream.open_shards())} shards open"
        )

    def _put(self, tell: Callable[[str], None]) -> None:
        """And what else is due in between."""
        records = traffic.records(self.seed)
        reshards = list(self.plan.reshards)
        told = sampled = 0.0
        while (now := self.clock.elapsed) < self.seconds:
            while len(self.stream.records) < now * self.rate:
                self.stream.put(*next(records))
            if reshards and reshards[0].at <= now:
                self.resharded.append(reshard(self.stream, reshards.pop(0)))
                tell(f"{now:5.0f} s: {self.resharded[-1]}")
            if now - sampled >= 1:
                sampled = now
                self.steady.sample_memory(now)
            if now - told >= TELL_SECONDS:
                told = now
                tell(self.status())
            time.sleep(TICK_SECONDS)

    def _kill(self) -> None:
        """Kill -9, and start it again, until it is over; then it is running."""
        for kill in self.plan.kills:
            if self.over.wait(kill.at - self.clock.elapsed):
                return
            self.mortal.kills.append(time.monotonic())
            self.mortal.service.kill()
            self.over.wait(kill.pause)
            self.mortal.front.life += 1
            self.mortal.service.start()

    def _drain(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        records = list(self.stream.records.values())
        while time.monotonic() < deadline:
            left = [e for w in self.worlds for e in w.evidence(records).values() if lost(e)]
            if not left:
                return
            time.sleep(1)


def reshard(stream: Stream, how: Reshard) -> str:
    """Split or merge as told; what was done, in words."""
    shards = stream.open_shards()
    if how.split:
        shard = shards[int(how.choice * len(shards))]
        stream.split(shard.id)
        return f"{shard.id} split"
    place = int(how.choice * (len(shards) - 1))
    first, second = shards[place : place + 2]
    stream.merge(first.id, second.id)
    return f"{first.id} and {second.id} merged"


@contextmanager
def prepared(seed: int, seconds: float, rate: float, folder: Path) -> Iterator[Soak]:
    """A soak whose services keep their state and their logs in `folder`."""
    clock, stream = Clock(), Stream(SHARDS)
    kinesis = Kinesis(stream)
    plan_ = plan(seed, seconds)
    with ExitStack() as stack:
        mortal, steady = (
            stack.enter_context(
                world(
                    name,
                    stream,
                    kinesis,
                    Faults(f"{seed} {name}", plan_.outages, lambda: clock.elapsed),
                    seed,
                    folder,
                )
            )
            for name in ("killed", "steady")
        )
        yield Soak(seed, seconds, rate, plan_, clock, stream, kinesis, mortal, steady)
