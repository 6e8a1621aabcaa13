"""The decisions of pipe and function, taken by their own code, in simulated time.

Real: the function, the lanes, when a batch is due, what is in it, delivery with its retries,
pauses, halvings and dead letters, the checkpoint, and which shards of a reshard are read when.
Modelled: the order of time, a heap instead of threads; the read, which takes no calls; the limit of
concurrent functions, and how long they take.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.figures import kinesis_record
from bench.function_cost import ROLE, STREAM, TABLES, Rejected
from bench.simulation.model import EPOCH, Clock, SimulatedShard, Stream, Table
from bench.simulation.scenario import FIRST_NUMBER, Put, Scenario, json_of
from eventbridge_pipes.execution.batch import BatchRules, cut
from eventbridge_pipes.execution.delivery import Delivery
from eventbridge_pipes.execution.retry import RetryPolicy
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.outcome import Outcome, all_failed, of_answer
from eventbridge_pipes.pipe import Pipe as PipeDefinition
from eventbridge_pipes.record import Record, json_array
from eventbridge_pipes.runners.backlog import Progress, lane_of
from eventbridge_pipes.runners.stream import shards_to_read
from eventbridge_pipes.sources.kinesis import record_maker
from eventbridge_pipes.telemetry.metrics import PipeTelemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from inventory.stock import Outcome as FunctionOutcome
from inventory.stock import RemovalNamePolicy
from inventory_cli.planning import capacity
from processor.calls import Deadline, budget
from processor.processor import process
from processor.records import records_of
from processor.store import Store

REFUSAL = 0.010
"""Seconds that an invocation takes that Lambda refuses, or that crashes at once."""

READ_PAUSE = 0.015
"""Seconds until a shard that is read to its end is read again."""

PIPE = PipeDefinition(
    name="simulated",
    arn="arn:aws:pipes:us-east-1:123456789012:pipe/inventory-pipe",
    source=STREAM.text,
    target="arn:aws:lambda:us-east-1:123456789012:function:inventory-processor",
    role_arn=ROLE,
    created=0.0,
    modified=0.0,
)

T = TypeVar("T")
R = TypeVar("R")

TIMEOUT = 60.0
MARGIN = 15.0
"""What the handler keeps of its time limit for the last call and the answer."""


class Rounds:
    """In place of the store's threads: a few calls begin at once, the next when all are done."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def map(self, call: Callable[[T], R], parts: Sequence[T]) -> list[R]:
        answers = []
        for first in range(0, len(parts), capacity.CALLS_AT_ONCE):
            begun, ends = self._clock.now, []
            for part in parts[first : first + capacity.CALLS_AT_ONCE]:
                self._clock.now = begun
                answers.append(call(part))
                ends.append(self._clock.now)
            self._clock.now = max(ends)
        return answers


class Function:
    """Lambda with the real function: so many at once, and now and then one that crashes.

    The records, processor and store are those of `handler.handler`; its log is left out.
    """

    def __init__(self, table: Table, clock: Clock, scenario: Scenario) -> None:
        self.refused = self.crashed = self.invocations = self.most = 0
        self.outcomes: Counter[FunctionOutcome] = Counter()
        self._clock, self._scenario = clock, scenario
        self._slower = max(1.0, capacity.ONE_CORE / scenario.memory)
        self._dice = random.Random(scenario.seed + 1)
        self._running: list[float] = []
        self._table: Any = table
        # No threads: the order of calls is the same in every run.
        self._pool: Any = Rounds(clock)

    def execute(self, records: Sequence[Record]) -> Outcome:
        while self._running and self._running[0] <= self._clock.now:
            heapq.heappop(self._running)
        if len(self._running) >= self._scenario.concurrency:
            self.refused += 1
            self._clock.sleep(REFUSAL)
            return all_failed(records, "TooManyRequestsException", service_error=True)
        self.invocations += 1
        if self._dice.random() < self._scenario.crashes:
            self.crashed += 1
            self._clock.sleep(REFUSAL)
            return all_failed(records, "the function crashed")
        answer = self._invoke(json_array(r.body for r in records))
        heapq.heappush(self._running, self._clock.now)
        self.most = max(self.most, len(self._running))
        return of_answer(answer, records)

    def _invoke(self, payload: str) -> bytes:
        records = records_of(json.loads(payload))
        seconds = capacity.INVOCATION_SECONDS + capacity.RECORD_SECONDS * len(records)
        self._clock.sleep(self._slower * seconds)
        end = self._clock.now + budget(TIMEOUT, MARGIN)
        deadline = Deadline(end, self._clock, self._clock.sleep, lambda: 0.5)
        store = Store(self._table, TABLES, self._pool, deadline, self._clock)
        topic: Any = Rejected()
        results = process(records, store, topic, RemovalNamePolicy.IGNORE)
        self.outcomes.update(result.outcome for result in results)
        failed = [r.record.item_identifier for r in results if r.outcome is FunctionOutcome.FAILED]
        return json.dumps({"batchItemFailures": [{"itemIdentifier": e} for e in failed]}).encode()


@dataclass
class Lane:
    """What is read of a shard for one lane, and how far it is delivered."""

    records: list[tuple[float, Put]]
    delivery: Delivery
    done: int = 0
    busy: float = 0.0


@dataclass
class Work:
    """A shard that is being read."""

    shard: SimulatedShard
    record_of: Callable[[Any], Record]
    lanes: list[Lane]
    progress: Progress
    unfinished: int


class Pipe:
    def __init__(self, scenario: Scenario, stream: Stream, target: Function, clock: Clock) -> None:
        self.latencies: list[float] = []
        self.dead_letters: list[str] = []
        self.ended = 0.0
        self.reading: dict[str, Work] = {}
        self.finished: dict[str, Work] = {}
        self._scenario, self._stream, self._target, self._clock = scenario, stream, target, clock
        self._rules = BatchRules(scenario.batch, scenario.window)
        self._policy = RetryPolicy(maximum_retries=12, maximum_age=72_000, bisect=True)
        self._telemetry = PipeTelemetry(PIPE.arn, PrometheusMetrics())
        self._due: list[tuple[float, int, Work, Lane]] = []
        self._ties = itertools.count()

    def run(self) -> None:
        random.seed(self._scenario.seed)  # of the jitter
        self._follow(0.0)
        while self._due:
            now, _, work, lane = heapq.heappop(self._due)
            self._turn(work, lane, now)

    def _at(self, when: float, work: Work, lane: Lane) -> None:
        heapq.heappush(self._due, (when, next(self._ties), work, lane))

    def _follow(self, now: float) -> None:
        """Begin what may be read: a reshard's children when their parents are done with."""
        for shard in shards_to_read(self._stream.listed, list(self.finished), list(self.reading)):
            self._begin(self._stream.all[shard.id], now)

    def _begin(self, shard: SimulatedShard, now: float) -> None:
        lanes = self._scenario.lanes
        shares: list[list[tuple[float, Put]]] = [[] for _ in range(lanes)]
        for arrived, put in shard.records:
            shares[lane_of(f"P{put.product}", lanes)].append((arrived, put))
        record_of = record_maker(STREAM, shard.shard.id, ROLE)
        own_lanes = [Lane(share, self._delivery(shard.shard.id)) for share in shares]
        progress = Progress(lambda number: None, shard.shard.id, PipeLog(PIPE.arn))
        work = Work(shard, record_of, own_lanes, progress, unfinished=lanes)
        self.reading[shard.shard.id] = work
        for lane in work.lanes:
            self._at(now, work, lane)

    def _delivery(self, shard_id: str) -> Delivery:
        return Delivery(
            PIPE,
            shard_id,
            self._policy,
            self._target.execute,
            self.dead_letters.append,
            self._telemetry,
            self._wait,
            now=self._clock,
        )

    def _wait(self, seconds: float) -> bool:
        self._clock.sleep(seconds)
        return False

    def _turn(self, work: Work, lane: Lane, now: float) -> None:
        """The lane has nothing at the target: send what is due, or look again when it will be."""
        here = lane.records[lane.done : lane.done + self._rules.size]
        if not here:
            self._finish(work, now)
            return
        # The reader is ahead of its lanes; it sees a record at its next read.
        seen = [entry for entry in here if entry[0] + READ_PAUSE <= now]
        if not seen:
            self._at(here[0][0] + READ_PAUSE, work, lane)
            return
        ending = work.shard.closed and lane.done + len(seen) == len(lane.records)
        waited = now - seen[0][0] - READ_PAUSE
        records = [
            work.record_of(
                kinesis_record(
                    FIRST_NUMBER + put.number,
                    f"P{put.product}",
                    json_of(put).encode(),
                    EPOCH + arrived,
                )
            )
            for arrived, put in seen
        ]
        due = cut((record.size for record in records), waited, ending, self._rules)
        if due.count:
            self._deliver(work, lane, records[: due.count], now)
        else:
            full = here[-1][0] + READ_PAUSE
            when = now + (due.wait or 0.0)
            if len(here) == self._rules.size or len(here) == len(lane.records) - lane.done:
                when = min(when, max(now, full)) if full > now else when
            self._at(when + 1e-9, work, lane)

    def _deliver(self, work: Work, lane: Lane, batch: list[Record], now: float) -> None:
        work.progress.read(batch, batch)
        self._clock.now = EPOCH + now
        assert lane.delivery.deliver(batch), "nobody stops a simulated pipe"
        work.progress.done(batch)
        done = self._clock.now - EPOCH
        lane.busy += done - now
        puts = lane.records[lane.done : lane.done + len(batch)]
        self.latencies += [done - put.at for _, put in puts]
        lane.done += len(batch)
        self.ended = max(self.ended, done)
        self._at(done, work, lane)

    def _finish(self, work: Work, now: float) -> None:
        work.unfinished -= 1
        if work.unfinished or not work.shard.closed:
            return
        # As the worker does: closed, read to its end, and nothing outstanding before it.
        assert not work.shard.records or work.progress.checkpoint is not None
        self.finished[work.shard.shard.id] = self.reading.pop(work.shard.shard.id)
        self._follow(now)
