"""Which call meets which fault: decided beforehand, and counted when it has happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from random import Random

from faults.exchange import Answer, Request

Forward = Callable[[Request], Answer]
Effect = Callable[[Request, Forward], Answer]
"""Answers a request, having forwarded it or not."""


ALWAYS = range(10**9)
"""Every call, so long as the test lasts."""


def _any(request: Request) -> bool:
    return True


@dataclass(frozen=True)
class Strike:
    """`effect` meets `calls` (counted from 0) of those of `operations` that `matches` picks."""

    operations: Collection[str]
    effect: Effect
    calls: Collection[int]
    matches: Callable[[Request], bool] = _any

    @property
    def least(self) -> int:
        """How often it has to strike for a test to have shown something."""
        return 1 if self.calls is ALWAYS else len(self.calls)

    def concerns(self, request: Request) -> bool:
        return request.operation in self.operations and self.matches(request)


def on(
    operations: str,
    effect: Effect,
    calls: Collection[int],
    matches: Callable[[Request], bool] = _any,
) -> Strike:
    """`operations` are names, separated by spaces."""
    return Strike(frozenset(operations.split()), effect, calls, matches)


def drawn(seed: int, share: float, calls: int) -> frozenset[int]:
    """Some of the first `calls` calls, the last of them included."""
    dice = Random(seed)
    return frozenset(n for n in range(calls) if dice.random() < share) | {calls - 1}


class Plan:
    """The strikes of one case, and how often each has struck. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._strikes: list[Strike] = []
        self._calls: list[int] = []
        self._struck: list[int] = []
        self._over = False

    def add(self, strikes: Iterable[Strike]) -> None:
        with self._lock:
            self._strikes += strikes
            self._calls = [0] * len(self._strikes)
            self._struck = [0] * len(self._strikes)

    def end(self) -> None:
        """Nothing strikes any more."""
        with self._lock:
            self._over = True

    def effect(self, request: Request) -> Effect | None:
        """What meets this call; the strike that was added first wins."""
        with self._lock:
            for place, strike in enumerate(self._strikes):
                if strike.concerns(request) and not self._over:
                    call = self._calls[place]
                    self._calls[place] += 1
                    if call in strike.calls:
                        self._struck[place] += 1
                        return strike.effect
        return None

    @property
    def struck(self) -> int:
        """How many faults have been injected."""
        with self._lock:
            return sum(self._struck)

    @property
    def outstanding(self) -> list[str]:
        """The strikes that have yet to happen, in words."""
        with self._lock:
            return [
                f"{strike.least - struck} of {'/'.join(sorted(strike.operations))}"
                for strike, struck in zip(self._strikes, self._struck, strict=True)
                if struck < strike.least
            ]
