"""Calls to AWS: in chunks that AWS accepts, and retried as long as the invocation has time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from inventory_aws.errors import is_transient, reason_of
from inventory_aws.retry import Backoff

BACK_OFF = Backoff(first=0.1, longest=5.0)

NO_TIME = "NoTimeLeft"
"""The code of a call that was not made."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """No call begins after `at`, a time of `clock`."""

    at: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    random: Callable[[], float] = random.random

    @property
    def has_passed(self) -> bool:
        return self.clock() >= self.at

    def wait(self, attempt: int) -> bool:
        """Wait after an attempt that failed. Return False, at once, if the time is too short."""
        pause = BACK_OFF.pause(attempt, self.random())
        if self.clock() + pause >= self.at:
            return False
        self.sleep(pause)
        return True

    def halfway(self) -> Deadline:
        return replace(self, at=(self.clock() + self.at) / 2)


def budget(remaining: float, margin: float) -> float:
    """Return for how many seconds calls may begin, if an invocation has so many left.

    `margin` is for the last call and the response. It takes at most half of the time: a function
    that only stops in time is of no use.
    """
    return max(remaining - margin, remaining / 2)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The error code of a call. If the error is transient, a retry may succeed."""

    code: str
    transient: bool = field(default=False, compare=False)

    @classmethod
    def because_of(cls, error: ClientError | BotoCoreError) -> Self:
        return cls(reason_of(error), is_transient(error))


class Problem(Protocol):
    @property
    def transient(self) -> bool: ...


Item = TypeVar("Item")
P = TypeVar("P", bound=Problem)


def retried(
    call: Callable[[Mapping[str, Item]], Mapping[str, P]],
    items: Mapping[str, Item],
    deadline: Deadline,
) -> dict[str, P | Unavailable]:
    """Call with all items, and repeat it with those whose problems are transient.

    Return the last problem of each item that has one.
    """
    problems: dict[str, P | Unavailable] = {key: Unavailable(NO_TIME) for key in items}
    left = dict(items)
    attempt = 0
    while left and not deadline.has_passed:
        found = call(left)
        problems = {key: why for key, why in problems.items() if key not in left} | {**found}
        left = {key: left[key] for key, why in found.items() if why.transient}
        attempt += 1
        if left and not deadline.wait(attempt):
            break
    return problems


def chunks(
    items: Iterable[Item], limit: int, weight: Callable[[Item], int] = lambda item: 1
) -> Iterator[Sequence[Item]]:
    """Yield the items in order, in chunks that weigh at most `limit` each."""
    chunk: list[Item] = []
    load = 0
    for item in items:
        if chunk and load + weight(item) > limit:
            yield chunk
            chunk, load = [], 0
        chunk.append(item)
        load += weight(item)
    if chunk:
        yield chunk
