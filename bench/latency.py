"""From the put to the row at a steady trickle, beside the times of the calls on the way."""

from __future__ import annotations

import json
import time
from functools import partial
from itertools import islice
from statistics import median
from typing import Any

from bench.figures import kinesis_record, row, section, timed, until
from bench.function_cost import ROLE, STREAM
from eventbridge_pipes.sources.kinesis import record_maker
from inventory_cli.commands.demo import Result, run
from inventory_cli.context import Context
from operations.numbers import percentile
from producer.generator import Spec, events

RATE = 20.0
EVENTS = 600
WARM_UP_RATE = 200.0
WARM_UP_EVENTS = 100
CALLS = 100


def measure(bench: Context) -> None:
    """Needs a stack that is otherwise idle. A first, quick run starts as many instances of the
    function as there are shards."""
    section(f"From the put to the row, at {RATE:g} events per second")
    _run(bench, WARM_UP_EVENTS, WARM_UP_RATE, seed=3)
    calls = _calls(bench)
    latencies = _run(bench, EVENTS, RATE, seed=2).latencies
    p50 = percentile(latencies, 0.5)
    row("p50", f"{p50 * 1000:.1f} ms")
    row("p99", f"{percentile(latencies, 0.99) * 1000:.1f} ms")
    for name, seconds in calls.items():
        row(f"{name} alone, p50", f"{seconds * 1000:.1f} ms")
    row("p50 in sums of these calls", f"{p50 / sum(calls.values()):.2f}", "wanted: 2 or less")


def _run(bench: Context, count: int, rate: float, seed: int) -> Result:
    result = run(bench, islice(events(Spec(seed, products=100)), count), rate, time.sleep)
    if result.problems:
        raise RuntimeError(f"the table is wrong: {result.problems[0]}")
    return result


def _calls(bench: Context) -> dict[str, float]:
    """Return the median seconds of each call with one event, one after the other."""
    kinesis, functions = bench.clients.kinesis, bench.clients.session.client("lambda")
    pipes, pipe = bench.clients.session.client("pipes"), bench.names.pipe
    pipes.stop_pipe(Name=pipe)
    until(lambda: pipes.describe_pipe(Name=pipe)["CurrentState"] == "STOPPED")
    taken = []
    for n in range(CALLS):
        key = f"L{n % 10}"
        product = {"product_id": key, "product_name": "Lamp", "quantity": n}
        data = json.dumps({"event_type": "product_added", "product": product}).encode()
        entry: Any = {"Data": data, "PartitionKey": key}
        stream = bench.names.stream
        put, answer = timed(partial(kinesis.put_records, StreamName=stream, Records=[entry]))
        shard_id, number = answer["Records"][0]["ShardId"], answer["Records"][0]["SequenceNumber"]
        iterator = kinesis.get_shard_iterator(
            StreamName=stream,
            ShardId=shard_id,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=number,
        )["ShardIterator"]
        get, _ = timed(partial(kinesis.get_records, ShardIterator=iterator))
        record = record_maker(STREAM, shard_id, ROLE)(kinesis_record(int(number), key, data))
        payload, name = f"[{record.body}]", bench.names.function
        invoke, _ = timed(partial(functions.invoke, FunctionName=name, Payload=payload))
        taken.append((put, get, invoke))
    pipes.start_pipe(Name=pipe)
    until(lambda: pipes.describe_pipe(Name=pipe)["CurrentState"] == "RUNNING")
    puts, gets, invokes = zip(*taken, strict=True)
    return {
        "PutRecords": median(puts),
        "GetRecords": median(gets),
        "Invoke, which reads and writes the row,": median(invokes),
    }
