"""From the put to the function, beside the calls on the way made one after the other."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from bench.pipes import readers
from bench.pipes.calls import Calls
from bench.pipes.stand import Stand
from bench.pipes.streams import entry, oldest, record_maker_of, stream
from bench.pipes.targets import Arrival, Function
from eventbridge_pipes.record import json_array
from inventory_cli.commands.demo import percentile

STREAM = "bench-latency"
RATE = 20.0
SPACED = 0.5
WARM_UP = 20
CALLS = 60
# One record a batch, so that the function tells of each.
BATCH = 1


@dataclass(frozen=True)
class Latency:
    """In seconds, from the beginning of a put to the beginning of the function."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: list[float]) -> Latency:
        return cls(percentile(seconds, 0.5), percentile(seconds, 0.99))


def of_calls(stand: Stand, function: Function) -> Latency:
    """PutRecord, GetRecords and Invoke, without a pause between them."""
    calls, record_of, put = stand.calls(), record_maker_of(STREAM, 0), {}
    function.clear()
    with stream(stand, STREAM, 1):
        iterator = oldest(calls, STREAM, 0)
        for number in range(CALLS):
            begun = time.time()
            put[_put(calls, STREAM, number, 0, 1)] = begun
            page = calls.kinesis("GetRecords", ShardIterator=iterator)
            iterator = page["NextShardIterator"]
            bodies = (record_of(raw).body for raw in page["Records"])
            calls.invoke(function.NAME, json_array(bodies).encode())
    return Latency.of(_seconds(put, function.arrivals(CALLS)))


def of_pipe(stand: Stand, function: Function, puts: int) -> Latency:
    """On a shard that gets RATE records a second."""
    with stream(stand, STREAM, 1), readers.pipe(stand, STREAM, function.arn, BATCH) as start:
        start()
        return _trickled(stand, function, puts)


def of_mapping(stand: Stand, function: Function, puts: int) -> Latency:
    """The same through MiniStack's event source mapping."""
    with stream(stand, STREAM, 1), readers.mapping(stand, STREAM, function.NAME, BATCH) as start:
        start()
        return _trickled(stand, function, puts)


def woken(stand: Stand, function: Function, name: str, shards: int, puts: int) -> Latency:
    """One record to each of `puts` shards that sleep, of a stream that a pipe reads."""
    function.clear()
    put = _put_each(stand.calls(), name, range(puts), shards, SPACED)
    return Latency.of(_seconds(put, function.arrivals(puts)))


def woken_one_by_one(stand: Stand, function: Function, names: list[str]) -> Latency:
    """One record to each of those streams, whose only shards sleep."""
    function.clear()
    calls, put = stand.calls(), {}
    for number, name in enumerate(names):
        time.sleep(SPACED)
        begun = time.time()
        put[_put(calls, name, number, 0, 1)] = begun
    return Latency.of(_seconds(put, function.arrivals(len(names))))


def _trickled(stand: Stand, function: Function, puts: int) -> Latency:
    calls = stand.calls()
    function.clear()
    _put_each(calls, STREAM, repeat(0, WARM_UP), 1, 1 / RATE)
    function.arrivals(WARM_UP)
    function.clear()
    put = _put_each(calls, STREAM, repeat(0, puts), 1, 1 / RATE)
    return Latency.of(_seconds(put, function.arrivals(puts)))


def _put_each(
    calls: Calls, name: str, to: Iterable[int], shards: int, spaced: float
) -> dict[str, float]:
    """A record to each shard of `to`, `spaced` seconds apart: when each put began."""
    put = {}
    due = time.time()
    for number, shard in enumerate(to):
        time.sleep(max(0.0, due - time.time()))
        begun = time.time()
        put[_put(calls, name, number, shard, shards)] = begun
        due += spaced
    return put


def _put(calls: Calls, name: str, number: int, shard: int, shards: int) -> str:
    """Its sequence number."""
    request: dict[str, Any] = entry(number, shard, shards)
    request["Data"] = base64.b64encode(request["Data"]).decode()
    sequence_number: str = calls.kinesis("PutRecord", StreamName=name, **request)["SequenceNumber"]
    return sequence_number


def _seconds(put: dict[str, float], arrivals: Iterable[Arrival]) -> list[float]:
    return [arrival.time - put[arrival.first] for arrival in arrivals]
