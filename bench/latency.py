"""From the put to the row at a steady trickle, beside the times of the calls on the way."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from itertools import islice

from bench.figures import timed, until
from inventory_cli.commands.demo import Result, percentile, run
from inventory_cli.context import Context
from producer.generator import Spec, events

RATE = 20.0
EVENTS = 600
WARM_UP_RATE = 200.0
WARM_UP_EVENTS = 100
CALLS = 100


@dataclass(frozen=True)
class Latency:
    """All in seconds; the calls are medians, one after the other on a quiet stack."""

    p50: float
    p99: float
    put: float
    get: float
    invoke: float

    @property
    def calls(self) -> float:
        return self.put + self.get + self.invoke


def measure(bench: Context) -> Latency:
    """Needs a stack that is otherwise idle. A first, quick run starts as many instances of the
    function as there are shards."""
    _run(bench, WARM_UP_EVENTS, WARM_UP_RATE, seed=3)
    calls = _calls(bench)
    latencies = _run(bench, EVENTS, RATE, seed=2).latencies
    return Latency(percentile(latencies, 0.5), percentile(latencies, 0.99), *calls)


def _run(bench: Context, count: int, rate: float, seed: int) -> Result:
    sent = islice(events(Spec(seed, products=100)), count)
    result = run(bench, sent, rate, time.sleep)
    if result.problems:
        raise RuntimeError(f"the table is wrong: {result.problems[0]}")
    return result


def _calls(bench: Context) -> tuple[float, float, float]:
    """PutRecords of one event, GetRecords of one, and Invoke with one that writes a row."""
    kinesis, functions = bench.clients.kinesis, bench.session.client("lambda")
    pipes, name = bench.session.client("pipes"), bench.names.pipe
    pipes.stop_pipe(Name=name)
    until(lambda: pipes.describe_pipe(Name=name)["CurrentState"] == "STOPPED")
    puts, gets, invokes = [], [], []
    for n in range(CALLS):
        product_id = f"L{n % 10}"
        data = _added(product_id, n)
        started = time.perf_counter()
        placed = kinesis.put_records(
            StreamName=bench.names.stream, Records=[{"Data": data, "PartitionKey": product_id}]
        )["Records"][0]
        puts.append(time.perf_counter() - started)
        shard_id, number = placed["ShardId"], placed["SequenceNumber"]
        iterator = kinesis.get_shard_iterator(
            StreamName=bench.names.stream,
            ShardId=shard_id,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=number,
        )["ShardIterator"]
        gets.append(timed(lambda i=iterator: kinesis.get_records(ShardIterator=i)))  # type: ignore[misc]
        payload = json.dumps([_flat(shard_id, number, product_id, data)]).encode()
        invokes.append(
            timed(
                lambda p=payload: functions.invoke(  # type: ignore[misc]
                    FunctionName=bench.names.function, Payload=p
                )["Payload"].read()
            )
        )
    pipes.start_pipe(Name=name)
    until(lambda: pipes.describe_pipe(Name=name)["CurrentState"] == "RUNNING")
    put, get, invoke = (percentile(times, 0.5) for times in (puts, gets, invokes))
    return put, get, invoke


def _added(product_id: str, quantity: int) -> bytes:
    product = {"product_id": product_id, "product_name": "Lamp", "quantity": quantity}
    return json.dumps({"event_type": "product_added", "product": product}).encode()


def _flat(shard_id: str, number: str, key: str, data: bytes) -> dict[str, object]:
    return {
        "eventID": f"{shard_id}:{number}",
        "sequenceNumber": number,
        "partitionKey": key,
        "data": base64.b64encode(data).decode(),
        "approximateArrivalTimestamp": 0.0,
    }
