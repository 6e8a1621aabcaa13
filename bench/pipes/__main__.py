"""What the Pipes service does and costs, beside the emulator's own calls: `make bench-pipes`.

Everything runs on servers of its own, MiniStack and the service, with the same records each time.
The calls alone are the limit: made in the same run, for the same work, by a client that costs
next to nothing. A few minutes; with --quick one, for figures that are rougher and fewer.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass

from bench.figures import columns, row, section
from bench.pipes import latency, service_cost, throughput
from bench.pipes.latency import Idle, Latency
from bench.pipes.servers import Servers, fresh_servers, second_service
from bench.pipes.targets import Function, Queue, Target
from bench.pipes.throughput import Work
from bench.stopping import run_until_stopped

SHARE = 0.7
SHARDS = 64
IDLE_PIPES = 100
SLEEPING_PIPES = 10
MIB = 1024 * 1024
MB = 1_000_000

MISSED: list[str] = []
"""The names of the figures that are not what they are to be."""


@dataclass(frozen=True)
class Scale:
    """How much is measured. `calls` are those of the target, by shards; times are in seconds."""

    calls: dict[int, int]
    function_batches: tuple[int, ...]
    queue_batches: tuple[int, ...]
    most_records: int
    puts: int
    woken: int
    sleep: float
    idle: float

    def works(self, batches: tuple[int, ...], times: int = 1) -> list[Work]:
        """Return the work with these batch sizes, with so many times the calls."""
        works = []
        for batch in batches:
            for shards, calls in self.calls.items():
                records = min(calls * times * batch, self.most_records)
                works.append(Work(shards, batch, max(2, records // (shards * batch))))
        return works


FULL = Scale({1: 200, 4: 600, 16: 960}, (1, 10, 100, 1000), (1, 10), 64_000, 300, 40, 60.0, 30.0)
# A shard that gave nothing for ten seconds is read as seldom as one that slept for a minute.
QUICK = Scale({1: 60, 4: 200}, (1, 100), (10,), 16_000, 60, 10, 11.0, 5.0)


def to_function(scale: Scale) -> None:
    section("From a stream to a Lambda function that does nothing, records per second")
    with fresh_servers() as servers:
        function = Function(servers)
        function.warm_up(max(scale.calls))
        _throughput(servers, scale.works(scale.function_batches), function)


def to_queue(scale: Scale) -> None:
    section("From a stream to an SQS queue, records per second")
    with fresh_servers() as servers:
        _throughput(servers, scale.works(scale.queue_batches, times=6), Queue(servers))


def _throughput(servers: Servers, works: list[Work], target: Target) -> None:
    columns("batch", "shards", "calls alone", "pipe", "share", "", "mapping")
    for work in works:
        m = throughput.measure(servers, work, target)
        name = f"share of the limit ({target.arn}, batch {work.batch}, shards {work.shards})"
        columns(
            f"{work.batch}",
            f"{work.shards}",
            f"{m.alone:.0f}",
            f"{m.pipe:.0f}",
            f"{m.share:.2f}",
            _judged(name, m.share >= SHARE),
            f"{m.mapping:.0f}" if m.mapping else "",
        )


def in_use(scale: Scale) -> None:
    section(f"From the put to the function, {latency.RATE:g} records per second on one shard")
    with fresh_servers() as servers:
        function = Function(servers)
        function.warm_up(2)
        calls = _calls_alone(servers, function)
        _latency("pipe", latency.of_pipe(servers, function, scale.puts), calls.p50 + 0.030)
        mapped = latency.of_mapping(servers, function, scale.puts)
        _latency("MiniStack's event source mapping", mapped)


def idle(scale: Scale) -> None:
    section(f"Pipes that have been idle for {scale.sleep:g} seconds")
    with fresh_servers() as servers, second_service(servers) as other:
        function = Function(servers)
        function.warm_up(2)
        wide = f"bench-{SHARDS}-shards"
        latency.start_pipes(servers, function, [wide], SHARDS)
        latency.start_pipes(other, function, ["bench-1-shard"])
        one, many = latency.idle([other.pipes, servers.pipes], scale.sleep, scale.idle)
        _idle("1 pipe, 1 shard", one, cpu=5)
        _idle(f"1 pipe, {SHARDS} shards", many, cpu=5)
        shards = [(wide, shard) for shard in range(scale.woken)]
        woken = latency.after_idle(servers, function, shards, SHARDS)
        _latency(f"put to function, one of {SHARDS} shards", woken)
    with fresh_servers() as servers:
        function = Function(servers)
        function.warm_up(2)
        calls = _calls_alone(servers, function)
        names = [f"bench-asleep-{number}" for number in range(SLEEPING_PIPES)]
        latency.start_pipes(servers, function, names)
        latency.idle([servers.pipes], scale.sleep, scale.idle)
        woken = latency.after_idle(servers, function, [(name, 0) for name in names], 1)
        label = f"put to function, {len(names)} pipes of 1 shard"
        _latency(label, woken, calls.p50 + 0.300)
    with fresh_servers() as servers:
        names = [f"bench-idle-{number}" for number in range(IDLE_PIPES)]
        latency.start_pipes(servers, Function(servers), names)
        (pipes,) = latency.idle([servers.pipes], scale.sleep, scale.idle)
        _idle(f"{len(names)} pipes in one process", pipes, cpu=25, memory=300)


def records(_: Scale) -> None:
    section("Processor time of the service's own code")
    seconds = service_cost.of_filter_and_template()
    _figure("1,000 records, filter and template", seconds * 1000, "ms", 12)
    own, of_sdk = service_cost.of_empty_read()
    _figure("an empty GetRecords", own * 1000, "ms")
    _figure("the same, boto3's client", of_sdk * 1000, "ms")


def memory(_: Scale) -> None:
    section("Peak memory of the service")
    _figure("120 MB in 500 records on one shard", service_cost.of_backlog() / MB, "MB", 200)
    _figure("900 KB, 800 times in a template", service_cost.of_large_template() / MB, "MB", 200)


PARTS: dict[str, Callable[[Scale], None]] = {
    "function": to_function,
    "queue": to_queue,
    "latency": in_use,
    "idle": idle,
    "records": records,
    "memory": memory,
}


def _calls_alone(servers: Servers, function: Function) -> Latency:
    calls = latency.of_calls(servers, function)
    _latency("PutRecord, GetRecords and Invoke alone", calls)
    return calls


def _latency(label: str, measured: Latency, most: float | None = None) -> None:
    """`most` is the median that is wanted at most, in seconds."""
    _figure(f"{label}, p50", measured.p50 * 1000, "ms", most and most * 1000)
    _figure(f"{label}, p99", measured.p99 * 1000, "ms")


def _idle(label: str, measured: Idle, cpu: float, memory: float | None = None) -> None:
    """`cpu` is the share of a core in percent, `memory` the MiB that are wanted at most."""
    _figure(f"{label}, of a core", measured.cpu * 100, "%", cpu)
    _figure(f"{label}, memory", measured.memory / MIB, "MiB", memory)


def _figure(label: str, value: float, unit: str, most: float | None = None) -> None:
    note = ""
    if most is not None:
        note = f"wanted: {most:.4g} {unit} or less: {_judged(label, value <= most)}"
    row(label, f"{value:.2f} {unit}", note)


def _judged(name: str, reached: bool) -> str:
    if reached:
        return "reached"
    MISSED.append(name)
    return "missed"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pipes", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything: a minute")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; else all")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    print(
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} processors; load before: {os.getloadavg()[0]:.1f}"
    )
    for part in arguments.parts or PARTS:
        PARTS[part](QUICK if arguments.quick else FULL)
    section(f"Missed: {len(MISSED)}" if MISSED else "All reached")
    for name in MISSED:
        print(f"  {name}")


if __name__ == "__main__":
    run_until_stopped(main)
