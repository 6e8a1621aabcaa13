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

from bench.figures import row, section
from bench.pipes import decode, idle, latency, memory, report, throughput
from bench.pipes.report import Report
from bench.pipes.scale import FULL, QUICK, Scale
from bench.pipes.stand import second_service, stand
from bench.pipes.targets import Function, Queue
from bench.stopping import run_until_stopped


def to_function(scale: Scale, told: Report) -> None:
    section("From a stream to a Lambda function that does nothing, records per second")
    with stand() as on:
        function = Function(on)
        function.warm_up(max(scale.calls))
        works = scale.works(scale.function_batches)
        told.throughput("function", (throughput.measure(on, w, function, True) for w in works))


def to_queue(scale: Scale, told: Report) -> None:
    section("From a stream to an SQS queue, records per second")
    with stand() as on:
        queue = Queue(on)
        works = scale.works(scale.queue_batches, times=6)
        told.throughput("queue", (throughput.measure(on, w, queue) for w in works))


def in_use(scale: Scale, told: Report) -> None:
    section(f"From the put to the function, {latency.RATE:g} records per second on one shard")
    with stand() as on:
        function = Function(on)
        function.warm_up(2)
        calls = latency.of_calls(on, function)
        report.calls_alone(calls)
        told.latency("pipe", latency.of_pipe(on, function, scale.puts), calls, within=0.030)
        report.peer(latency.of_mapping(on, function, scale.puts))


def asleep(scale: Scale, told: Report) -> None:
    section(f"Pipes that have slept for {scale.sleep:g} seconds")
    with stand() as on, second_service(on) as other:
        function = Function(on)
        function.warm_up(2)
        calls = latency.of_calls(on, function)
        idle.start_pipes(on, function, [idle.WIDE], idle.SHARDS)
        idle.start_pipes(other, function, ["bench-1-shard"])
        wide, narrow, emulator = idle.measure([on.pipes, other.pipes, on.emulator], scale)
        told.idle("1 pipe, 1 shard", narrow, cpu=0.05)
        told.idle(f"1 pipe, {idle.SHARDS} shards", wide, cpu=0.05)
        row("MiniStack, asked by both", f"{emulator.cpu * 100:.1f} %")
        report.calls_alone(calls)
        woken = latency.woken(on, function, idle.WIDE, idle.SHARDS, scale.woken)
        told.latency(f"put to function, one of {idle.SHARDS} shards", woken, calls)
    with stand() as on:
        function = Function(on)
        names = [f"bench-asleep-{number}" for number in range(scale.sleeping_pipes)]
        idle.start_pipes(on, function, names)
        idle.measure([on.pipes], scale)
        woken = latency.woken_one_by_one(on, function, names)
        told.latency(f"put to function, {len(names)} pipes of 1 shard", woken, calls, within=0.300)
    with stand() as on:
        function = Function(on)
        names = [f"bench-idle-{number}" for number in range(scale.idle_pipes)]
        idle.start_pipes(on, function, names)
        many, emulator = idle.measure([on.pipes, on.emulator], scale)
        told.idle(f"{len(names)} pipes in one process", many, cpu=0.25, memory=300)
        row("MiniStack, asked by all", f"{emulator.cpu * 100:.1f} %")


def records(_: Scale, told: Report) -> None:
    section("Processor time of the service's own code")
    making, using = decode.of_records()
    told.processor("1,000 records made of a page", making)
    told.processor("1,000 records, filter and template", using, within=0.012)
    own, of_sdk = decode.of_empty_read()
    told.processor("an empty GetRecords", own)
    told.processor("the same, boto3's client", of_sdk)


def backlog(_: Scale, told: Report) -> None:
    section("Peak memory of the service")
    told.peak("120 MB in 500 records on one shard", memory.of_backlog(), within=200)
    told.peak("900 KB, 800 times in a template", memory.of_large_template(), within=200)


PARTS: dict[str, Callable[[Scale, Report], None]] = {
    "function": to_function,
    "queue": to_queue,
    "latency": in_use,
    "idle": asleep,
    "records": records,
    "memory": backlog,
}


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
    told = Report()
    for part in arguments.parts or PARTS:
        PARTS[part](QUICK if arguments.quick else FULL, told)
    section(f"Missed: {len(told.missed)}" if told.missed else "All reached")
    for name in told.missed:
        print(f"  {name}")


run_until_stopped(main)
