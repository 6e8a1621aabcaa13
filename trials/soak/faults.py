"""What goes wrong with a call."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from random import Random

from soak.answers import Answer, refusal
from soak.plan import Outage


class Fault(StrEnum):
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    CUT = "cut before the call"
    LOST = "cut in the answer"
    SLOW = "slow answer"
    EXPIRED = "iterator expired"
    ERROR = "function error"
    PARTIAL = "partial failure"


ODDS: Mapping[str, Mapping[Fault, float]] = {
    "kinesis": {
        Fault.UNAVAILABLE: 0.004,
        Fault.CUT: 0.004,
        Fault.LOST: 0.004,
        Fault.SLOW: 0.02,
        Fault.EXPIRED: 0.004,
    },
    "lambda": {
        Fault.THROTTLED: 0.02,
        Fault.UNAVAILABLE: 0.02,
        Fault.CUT: 0.01,
        Fault.LOST: 0.01,
        Fault.SLOW: 0.04,
        Fault.ERROR: 0.03,
        Fault.PARTIAL: 0.10,
    },
    "sqs": {
        Fault.THROTTLED: 0.02,
        Fault.UNAVAILABLE: 0.02,
        Fault.CUT: 0.01,
        Fault.LOST: 0.01,
        Fault.SLOW: 0.02,
        Fault.PARTIAL: 0.05,
    },
}
"""Of each call that reads records or hands some over; looking things up only meets outages."""

LONGEST_ANSWER = 2.0

_THROTTLING = {
    "kinesis": refusal(400, "LimitExceededException"),
    "lambda": refusal(429, "TooManyRequestsException"),
    "sqs": refusal(400, "RequestThrottled"),
}


class Faults:
    """Draws the faults of one service's calls; which call meets which depends on their order."""

    def __init__(self, seed: str, outages: Sequence[Outage], elapsed: Callable[[], float]) -> None:
        self.met: Counter[tuple[str, Fault]] = Counter()
        self.stopped = False
        self._random = Random(seed)
        self._outages = outages
        self._elapsed = elapsed
        self._lock = threading.Lock()

    def next(self, service: str, moves_records: bool) -> Fault | None:
        with self._lock:
            fault = None if self.stopped else self._draw(service, moves_records)
            if fault:
                self.met[service, fault] += 1
            return fault

    def delay(self) -> float:
        """Seconds that a slow answer takes."""
        with self._lock:
            return self._random.uniform(0.2, LONGEST_ANSWER)

    def share(self) -> float:
        """How much of an answer is written before it is cut."""
        with self._lock:
            return self._random.random()

    def _draw(self, service: str, moves_records: bool) -> Fault | None:
        now = self._elapsed()
        for outage in self._outages:
            if outage.service == service and outage.begin <= now < outage.end:
                return Fault.THROTTLED if outage.throttled else Fault.UNAVAILABLE
        if not moves_records:
            return None
        drawn = self._random.random()
        for fault, odds in ODDS[service].items():
            drawn -= odds
            if drawn < 0:
                return fault
        return None


def refused(service: str, fault: Fault | None) -> Answer | None:
    """The answer to a call that is not carried out; None when it is."""
    match fault:
        case Fault.THROTTLED:
            return _THROTTLING[service]
        case Fault.UNAVAILABLE:
            return refusal(503, "ServiceUnavailable")
        case Fault.EXPIRED:
            return refusal(400, "ExpiredIteratorException")
        case Fault.CUT:
            return Answer(None, written=0.0)
    return None
