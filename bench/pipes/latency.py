"""From the put to the function, beside the calls on the way made one after the other; and what
pipes cost that have nothing to do."""

from __future__ import annotations

import base64
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import psutil

from bench.pipes import streams
from bench.pipes.servers import Calls, Servers
from bench.pipes.streams import entry, oldest, record_maker_of, stream
from bench.pipes.targets import Arrival, Function
from eventbridge_pipes.record import json_array

STREAM = "bench-latency"
RATE = 20.0
SPACED = 0.5
WARM_UP = 20
CALLS = 60
# One record a batch, so that the function notes each.
BATCH = 1


@dataclass(frozen=True)
class Latency:
    """In seconds, from the beginning of a put to the beginning of the function."""

    p50: float
    p99: float

    @classmethod
    def of(cls, put: dict[str, float], arrivals: Iterable[Arrival]) -> Latency:
        """Compare when each record was put, by sequence number, with its arrival."""
        seconds = [arrival.time - put[arrival.first] for arrival in arrivals]
        percentiles = statistics.quantiles(seconds, n=100, method="inclusive")
        return cls(percentiles[49], percentiles[98])


def of_calls(servers: Servers, function: Function) -> Latency:
    """PutRecord, GetRecords and Invoke, without a pause between them."""
    calls, record_of, put = servers.calls(), record_maker_of(STREAM, 0), {}
    function.clear()
    with stream(servers, STREAM, 1):
        iterator = oldest(calls, STREAM, 0)
        for number in range(CALLS):
            begun = time.time()
            put[_put(calls, STREAM, number, 0, 1)] = begun
            page = calls.kinesis("GetRecords", ShardIterator=iterator)
            iterator = page["NextShardIterator"]
            bodies = (record_of(raw).body for raw in page["Records"])
            calls.invoke(function.NAME, json_array(bodies).encode())
    return Latency.of(put, function.arrivals(CALLS))


def of_pipe(servers: Servers, function: Function, puts: int) -> Latency:
    """On a shard that gets RATE records a second."""
    with stream(servers, STREAM, 1), streams.pipe(servers, STREAM, function.arn, BATCH) as start:
        start()
        return _in_use(servers.calls(), function, puts)


def of_mapping(servers: Servers, function: Function, puts: int) -> Latency:
    """The same through MiniStack's event source mapping."""
    with stream(servers, STREAM, 1), streams.mapping(servers, STREAM, function.NAME, BATCH):
        return _in_use(servers.calls(), function, puts)


def after_idle(
    servers: Servers, function: Function, to: Iterable[tuple[str, int]], shards: int
) -> Latency:
    """One record to each of these idle shards, given as stream and number."""
    function.clear()
    put = _put_each(servers.calls(), to, shards, SPACED)
    return Latency.of(put, function.arrivals(len(put)))


def _in_use(calls: Calls, function: Function, puts: int) -> Latency:
    for count in (WARM_UP, puts):
        function.clear()
        put = _put_each(calls, repeat((STREAM, 0), count), 1, 1 / RATE)
        arrivals = function.arrivals(count)
    return Latency.of(put, arrivals)


def _put_each(
    calls: Calls, to: Iterable[tuple[str, int]], shards: int, spaced: float
) -> dict[str, float]:
    """Put a record to each shard of `to`, `spaced` seconds apart. Return when each put began."""
    put = {}
    due = time.time()
    for number, (name, shard) in enumerate(to):
        time.sleep(max(0.0, due - time.time()))
        begun = time.time()
        put[_put(calls, name, number, shard, shards)] = begun
        due += spaced
    return put


def _put(calls: Calls, name: str, number: int, shard: int, shards: int) -> str:
    """Put a record and return its sequence number."""
    request: dict[str, Any] = entry(number, shard, shards)
    request["Data"] = base64.b64encode(request["Data"]).decode()
    sequence_number: str = calls.kinesis("PutRecord", StreamName=name, **request)["SequenceNumber"]
    return sequence_number


@dataclass(frozen=True)
class Idle:
    """`cpu` is a share of a core, `memory` the resident set in bytes."""

    cpu: float
    memory: int


def start_pipes(servers: Servers, function: Function, names: list[str], shards: int = 1) -> None:
    """Start pipes of those names, each on a stream of its own without records."""
    for name in names:
        streams.create(servers, name, shards)
        servers.create_pipe(name, streams.stream_arn(name), function.arn, 1)
    for name in names:
        servers.wait_for_pipe(name, "RUNNING")


def idle(processes: list[psutil.Process], before: float, seconds: float) -> list[Idle]:
    """Return what each process takes for some seconds, after the seconds `before`."""
    time.sleep(before)
    then, begun = [_processor_time(process) for process in processes], time.monotonic()
    time.sleep(seconds)
    now, took = [_processor_time(process) for process in processes], time.monotonic() - begun
    return [
        Idle((end - start) / took, process.memory_info().rss)
        for process, start, end in zip(processes, then, now, strict=True)
    ]


def _processor_time(process: psutil.Process) -> float:
    """Seconds, of all its threads, in its own code and in the system's."""
    times = process.cpu_times()
    return times.user + times.system
