"""What pipes cost that have nothing to do."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from bench.pipes import readers, streams
from bench.pipes.scale import Scale
from bench.pipes.stand import Stand
from bench.pipes.targets import Function
from bench.pipes.throughput import processor_time

SHARDS = 64
WIDE = f"bench-{SHARDS}-shards"


@dataclass(frozen=True)
class Idle:
    """`cpu` is a share of a core, `memory` the resident set in bytes."""

    cpu: float
    memory: int


def start_pipes(stand: Stand, function: Function, names: list[str], shards: int = 1) -> None:
    """Pipes of those names, each on a stream of its own without records."""
    for name in names:
        streams.create(stand, name, shards)
        readers.create(stand, name, function.arn, 1, name, "RUNNING")
    for name in names:
        readers.wait_for(stand, name, "RUNNING")


def measure(processes: list[psutil.Process], scale: Scale) -> list[Idle]:
    """Those of the processes, once all has slept for a while."""
    time.sleep(scale.sleep)
    before, begun = [processor_time(process) for process in processes], time.monotonic()
    time.sleep(scale.idle)
    after, seconds = [processor_time(process) for process in processes], time.monotonic() - begun
    return [
        Idle((now - then) / seconds, process.memory_info().rss)
        for process, then, now in zip(processes, before, after, strict=True)
    ]
