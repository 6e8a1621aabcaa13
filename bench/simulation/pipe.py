"""The pipe's decisions, taken by the Pipes service's own code, in simulated time.

Real: the lanes, when a batch is due, what is in it, delivery with its retries, pauses, halvings and
dead letters, the checkpoint, and which shards of a reshard are read when. Modelled: the order of
time, a heap instead of threads; the read, which takes no calls; the limit of concurrent functions.
"""

from __future__ import annotations

import base64
import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.function_cost import ROLE, STREAM
from bench.simulation.clock import EPOCH, Clock
from bench.simulation.function import Function
from bench.simulation.scenario import Put, Scenario, json_of
from bench.simulation.stream import SimulatedShard, Stream
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

REFUSAL = 0.010
"""Seconds that an invocation takes that Lambda refuses, or that crashes at once."""

READ_PAUSE = 0.015
"""Seconds until a shard that is read to its end is read again."""

Due = tuple[float, int, Callable[[float], None]]

PIPE = PipeDefinition(
    name="simulated",
    arn="arn:aws:pipes:us-east-1:123456789012:pipe/inventory-pipe",
    source=STREAM.text,
    target="arn:aws:lambda:us-east-1:123456789012:function:inventory-processor",
    role_arn=ROLE,
    created=0.0,
    modified=0.0,
)


class Target:
    """Lambda: so many at once, and now and then one that crashes."""

    def __init__(self, function: Function, clock: Clock, scenario: Scenario) -> None:
        self.refused = self.crashed = self.invocations = self.most = 0
        self._function, self._clock = function, clock
        self._limit, self._crashes = scenario.concurrency, scenario.crashes
        self._dice = random.Random(scenario.seed + 1)
        self._running: list[float] = []

    def execute(self, records: Sequence[Record]) -> Outcome:
        while self._running and self._running[0] <= self._clock.now:
            heapq.heappop(self._running)
        if len(self._running) >= self._limit:
            self.refused += 1
            self._clock.sleep(REFUSAL)
            return all_failed(records, "TooManyRequestsException", service_error=True)
        self.invocations += 1
        if self._dice.random() < self._crashes:
            self.crashed += 1
            self._clock.sleep(REFUSAL)
            return all_failed(records, "the function crashed")
        answer = self._function.invoke(json_array(r.body for r in records).encode())
        heapq.heappush(self._running, self._clock.now)
        self.most = max(self.most, len(self._running))
        return of_answer(answer, records)


class DeadLetters:
    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send(self, body: str) -> None:
        self.bodies.append(body)


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
    unfinished: int = 0


class Pipe:
    def __init__(self, scenario: Scenario, stream: Stream, target: Target, clock: Clock) -> None:
        self.latencies: list[float] = []
        self.dead_letters = DeadLetters()
        self.ended = 0.0
        self.reading: dict[str, Work] = {}
        self.finished: dict[str, Work] = {}
        self._scenario, self._stream, self._target, self._clock = scenario, stream, target, clock
        self._rules = BatchRules(scenario.batch, scenario.window)
        self._policy = RetryPolicy(maximum_retries=12, maximum_age=72_000, bisect=True)
        self._telemetry = PipeTelemetry(PIPE.arn, PrometheusMetrics())
        self._due: list[Due] = []
        self._ties = 0

    def run(self) -> None:
        random.seed(self._scenario.seed)  # of the jitter
        self._follow(0.0)
        while self._due:
            now, _, action = heapq.heappop(self._due)
            action(now)

    def _at(self, when: float, action: Callable[[float], None]) -> None:
        self._ties += 1
        heapq.heappush(self._due, (when, self._ties, action))

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
        work = Work(shard, record_of, own_lanes, progress)
        work.unfinished = lanes
        self.reading[shard.shard.id] = work
        for lane in work.lanes:
            self._at(now, lambda when, lane=lane: self._turn(work, lane, when))  # type: ignore[misc]

    def _delivery(self, shard_id: str) -> Delivery:
        return Delivery(
            PIPE,
            shard_id,
            self._policy,
            self._target.execute,
            self.dead_letters.send,
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
            self._at(here[0][0] + READ_PAUSE, lambda t: self._turn(work, lane, t))
            return
        ending = work.shard.closed and lane.done + len(seen) == len(lane.records)
        waited = now - seen[0][0] - READ_PAUSE
        records = [self._record(work.record_of, *entry) for entry in seen]
        due = cut((record.size for record in records), waited, ending, self._rules)
        if due.count:
            self._deliver(work, lane, records[: due.count], now)
        else:
            full = here[-1][0] + READ_PAUSE
            when = now + (due.wait or 0.0)
            if len(here) == self._rules.size or len(here) == len(lane.records) - lane.done:
                when = min(when, max(now, full)) if full > now else when
            self._at(when + 1e-9, lambda t: self._turn(work, lane, t))

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
        self._at(done, lambda when: self._turn(work, lane, when))

    def _finish(self, work: Work, now: float) -> None:
        work.unfinished -= 1
        if work.unfinished or not work.shard.closed:
            return
        # As the worker does: closed, read to its end, and nothing outstanding before it.
        last = work.progress.checkpoint
        assert not work.shard.records or last is not None
        self.finished[work.shard.shard.id] = self.reading.pop(work.shard.shard.id)
        self._follow(now)

    @staticmethod
    def _record(record_of: Callable[[Any], Record], arrived: float, put: Put) -> Record:
        return record_of(
            {
                "SequenceNumber": f"{4_960_000_000_000 + put.number:056d}",
                "ApproximateArrivalTimestamp": EPOCH + arrived,
                "PartitionKey": f"P{put.product}",
                "Data": base64.b64encode(json_of(put).encode()).decode(),
            }
        )
