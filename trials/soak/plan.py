"""What happens when: drawn before it begins, so that a seed names a soak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

SHORTEST_LIFE, LONGEST_LIFE = 10.0, 40.0
LONGEST_PAUSE = 6.0
STARTING = 3.0
"""Seconds that are left for the service to come up."""

MEAN_BETWEEN_OUTAGES = 45.0
RESHARDS = (0.15, 0.35, 0.55, 0.75)
"""When the stream is split, merged, split and merged again, in shares of the time."""


@dataclass(frozen=True)
class Kill:
    """In seconds since the beginning; the service is started again `pause` seconds later."""

    at: float
    pause: float


@dataclass(frozen=True)
class Outage:
    """From `begin` to `end`, a service does not do what it is asked; `throttled`: it says that it
    is asked too much."""

    service: str
    begin: float
    end: float
    throttled: bool


@dataclass(frozen=True)
class Reshard:
    """A split of the open shard that `choice` (from 0 to 1) falls on, or a merge of two."""

    at: float
    split: bool
    choice: float


@dataclass(frozen=True)
class Plan:
    kills: tuple[Kill, ...]
    outages: tuple[Outage, ...]
    reshards: tuple[Reshard, ...]


def plan(seed: int, seconds: float) -> Plan:
    random = Random(f"plan {seed}")
    return Plan(
        kills=tuple(_kills(random, seconds)),
        outages=tuple(_outages(random, seconds)),
        reshards=tuple(
            Reshard(share * seconds, split=i % 2 == 0, choice=random.random())
            for i, share in enumerate(RESHARDS)
        ),
    )


def _kills(random: Random, seconds: float) -> Iterator[Kill]:
    """After every other kill the service is started again at once."""
    at = 0.0
    while True:
        at += random.uniform(SHORTEST_LIFE, LONGEST_LIFE)
        if at >= seconds:
            return
        pause = random.choice([0.0, random.uniform(0.5, LONGEST_PAUSE)])
        yield Kill(at, pause)
        at += pause + STARTING


def _outages(random: Random, seconds: float) -> Iterator[Outage]:
    for service in ("kinesis", "lambda", "sqs"):
        at = random.expovariate(1 / MEAN_BETWEEN_OUTAGES)
        while at < seconds:
            end = at + random.uniform(1, 8)
            yield Outage(service, at, end, throttled=random.random() < 0.5)
            at = end + random.expovariate(1 / MEAN_BETWEEN_OUTAGES)
