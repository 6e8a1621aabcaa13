"""What a pipe has done, counted: for as long as the service runs, and since it was last asked."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from eventbridge_pipes.telemetry.endings import Ending
from eventbridge_pipes.telemetry.watch import Stage, Step

Lag = Callable[[], float]


@dataclass(slots=True)
class Statistics:
    """Many values in four numbers, as CloudWatch takes them."""

    count: int = 0
    total: float = 0.0
    smallest: float = math.inf
    largest: float = -math.inf

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.smallest = min(self.smallest, value)
        self.largest = max(self.largest, value)


@dataclass(frozen=True, slots=True)
class StageEnd:
    """`step` is the stage's last one; `seconds` is None when it was never entered."""

    stage: Stage
    step: Step
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Ended:
    """One execution: its records and their bytes, how many of them failed, and how long it took."""

    ending: Ending
    records: int
    failed: int
    size: int
    seconds: float
    stages: Sequence[StageEnd] = ()


@dataclass(slots=True)
class Activity:
    """What the executions of a time were like. Durations are in seconds, sizes in bytes."""

    endings: Counter[Ending] = field(default_factory=Counter)
    records: Statistics = field(default_factory=Statistics)
    size: Statistics = field(default_factory=Statistics)
    duration: Statistics = field(default_factory=Statistics)
    stage_ends: Counter[tuple[Stage, Step]] = field(default_factory=Counter)
    stage_durations: dict[Stage, Statistics] = field(
        default_factory=lambda: {stage: Statistics() for stage in Stage}
    )

    def add(self, ended: Ended) -> None:
        self.endings[ended.ending] += 1
        self.records.add(ended.records)
        self.size.add(ended.size)
        self.duration.add(ended.seconds)
        for end in ended.stages:
            self.stage_ends[end.stage, end.step] += 1
            if end.seconds is not None:
                self.stage_durations[end.stage].add(end.seconds)


@dataclass(slots=True)
class Totals:
    """Records and executions since the service started; a record counts at each attempt."""

    read: int = 0
    filtered: int = 0
    delivered: int = 0
    failed: int = 0
    dead_lettered: int = 0
    dropped: int = 0
    in_flight: int = 0
    executions: Counter[Ending] = field(default_factory=Counter)
    lags: dict[str, Lag] = field(default_factory=dict)


class Tally:
    """The counters of one pipe; all threads that work for it share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = Totals()
        self._activity = Activity()

    def read(self, count: int) -> None:
        with self._lock:
            self._totals.read += count

    def filtered(self, count: int) -> None:
        with self._lock:
            self._totals.filtered += count

    def given_up(self, count: int, dead_lettered: bool) -> None:
        with self._lock:
            if dead_lettered:
                self._totals.dead_lettered += count
            else:
                self._totals.dropped += count

    def begun(self) -> None:
        with self._lock:
            self._totals.in_flight += 1

    def ended(self, ended: Ended) -> None:
        with self._lock:
            self._totals.in_flight -= 1
            self._totals.delivered += ended.records - ended.failed
            self._totals.failed += ended.failed
            self._totals.executions[ended.ending] += 1
            self._activity.add(ended)

    def shard_begun(self, shard_id: str, lag: Lag) -> None:
        with self._lock:
            self._totals.lags[shard_id] = lag

    def shard_ended(self, shard_id: str) -> None:
        with self._lock:
            self._totals.lags.pop(shard_id, None)

    def totals(self) -> Totals:
        """A copy, as it is now."""
        with self._lock:
            return replace(
                self._totals,
                executions=self._totals.executions.copy(),
                lags=self._totals.lags.copy(),
            )

    def take_activity(self) -> Activity:
        """What happened since the last call."""
        with self._lock:
            taken, self._activity = self._activity, Activity()
            return taken


class Concurrency:
    """How many executions run at once, whatever their pipe: looked at whenever one begins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self._seen = Statistics()

    def begun(self) -> None:
        with self._lock:
            self._now += 1
            self._seen.add(self._now)

    def ended(self) -> None:
        with self._lock:
            self._now -= 1

    def take(self) -> Statistics:
        """What was seen since the last call."""
        with self._lock:
            taken, self._seen = self._seen, Statistics()
            return taken
