"""Records per second through a pipe, beside the emulator's own calls for the same work."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psutil

from bench.pipes import readers, replay
from bench.pipes.replay import ShardCalls
from bench.pipes.scale import Work
from bench.pipes.stand import Stand
from bench.pipes.streams import fill, stream
from bench.pipes.targets import Function, Target, rate


@dataclass(frozen=True)
class Throughput:
    """Rates are in records per second, `cost` is the processor seconds of the service a record.

    `mapping` is the rate of MiniStack's event source mapping, if it was measured.
    """

    work: Work
    pipe: float
    alone: float
    cost: float
    mapping: float | None = None

    @property
    def share(self) -> float:
        return self.pipe / self.alone


def measure(stand: Stand, work: Work, target: Target, with_mapping: bool = False) -> Throughput:
    """Everything on one stream, one after the other."""
    name = f"bench-{work.shards}-{work.batch}"
    with stream(stand, name, work.shards):
        fill(stand, name, work)
        prepared = replay.prepare(stand, name, work, target)
        alone = _of_calls(prepared, work, target)
        with readers.pipe(stand, name, target.arn, work.batch) as start:
            before = processor_time(stand.pipes)
            through_pipe = _of_pipe(target, work, start)
            cost = (processor_time(stand.pipes) - before) / work.records
        mapped = _of_mapping(stand, name, work, target) if with_mapping else None
    return Throughput(work, through_pipe, alone, cost, mapped)


def _of_mapping(stand: Stand, name: str, work: Work, target: Target) -> float:
    """From its first arrival on: it looks at its streams once a second."""
    target.clear()
    with readers.mapping(stand, name, Function.NAME, work.batch) as start:
        start()
        return rate(target.arrivals(work.records))


def _of_calls(prepared: list[ShardCalls], work: Work, target: Target) -> float:
    """From the first call on: the iterators, the pages, the target."""
    target.clear()
    with ThreadPoolExecutor(1) as pool:
        begun = time.time()
        made = pool.submit(replay.make, prepared)
        arrivals = target.arrivals(work.records)
        made.result()
    return rate(arrivals, begun)


def _of_pipe(target: Target, work: Work, start: Callable[[], object]) -> float:
    """From the request to start it on, so that all it does for these records counts."""
    target.clear()
    begun = time.time()
    start()
    return rate(target.arrivals(work.records), begun)


def processor_time(process: psutil.Process) -> float:
    """Seconds, of all its threads, in its own code and in the system's."""
    times = process.cpu_times()
    return times.user + times.system
