"""The real function on the table in memory, and what the model adds: how long it takes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.function_cost import TABLES, Rejected
from bench.simulation.clock import Clock
from bench.simulation.table import Table
from inventory.stock import Outcome, RemovalNamePolicy
from inventory_cli.planning import sizing
from processor.calls import Deadline, budget
from processor.processor import process
from processor.records import records_of
from processor.store import Store

T = TypeVar("T")
R = TypeVar("R")

MARGIN = 15.0
"""What the handler keeps of its time limit for the last call and the answer."""


@dataclass(frozen=True)
class Speed:
    """Seconds: what an invocation takes besides, and each record, on the memory that it has."""

    invocation: float
    record: float
    timeout: float = 60.0


class Rounds:
    """In place of the store's threads: a few calls begin at once, the next when all are done."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def map(self, call: Callable[[T], R], parts: Sequence[T]) -> list[R]:
        answers = []
        for first in range(0, len(parts), sizing.CALLS_AT_ONCE):
            begun, ends = self._clock.now, []
            for part in parts[first : first + sizing.CALLS_AT_ONCE]:
                self._clock.now = begun
                answers.append(call(part))
                ends.append(self._clock.now)
            self._clock.now = max(ends)
        return answers


class Function:
    """`handler.handler` without its log: the same records, processor and store."""

    def __init__(self, table: Table, clock: Clock, speed: Speed, dice: float = 0.5) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.rejected = Rejected()
        self._clock, self._speed, self._dice = clock, speed, dice
        self._table: Any = table
        # No threads: the order of calls is the same in every run.
        self._pool: Any = Rounds(clock)

    def invoke(self, payload: bytes) -> bytes:
        records = records_of(json.loads(payload))
        self._clock.sleep(self._speed.invocation + self._speed.record * len(records))
        end = self._clock.now + budget(self._speed.timeout, MARGIN)
        deadline = Deadline(end, self._clock, self._clock.sleep, lambda: self._dice)
        store = Store(self._table, TABLES, self._pool, deadline, self._clock)
        topic: Any = self.rejected
        results = process(records, store, topic, RemovalNamePolicy.IGNORE)
        self.outcomes.update(result.outcome for result in results)
        failed = [r.record.item_identifier for r in results if r.outcome is Outcome.FAILED]
        return json.dumps({"batchItemFailures": [{"itemIdentifier": e} for e in failed]}).encode()
