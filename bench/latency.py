"""From the put to the row at a steady trickle, beside the times of the calls on the way."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass

from bench.figures import timed, until
from inventory_cli.demo import Plan, Verdict, run
from inventory_cli.workbench import Workbench
from operations.numbers import percentile
from producer.generator import Spec

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


def measure(bench: Workbench) -> Latency:
    """Needs a stack that is otherwise idle. A first, quick run starts as many instances of the
    function as there are shards."""
    _run(bench, Plan(Spec(seed=3, products=100), WARM_UP_EVENTS, WARM_UP_RATE))
    calls = _calls(bench)
    verdict = _run(bench, Plan(Spec(seed=2, products=100), EVENTS, RATE))
    return Latency(verdict.latency(0.5), verdict.latency(0.99), *calls)


def _run(bench: Workbench, plan: Plan) -> Verdict:
    verdict = run(
        plan, bench.clients, bench.names, bench.policy, time.sleep, lambda put, progress: None
    )
    if verdict.problems:
        raise RuntimeError(f"the table is wrong: {verdict.problems[0]}")
    return verdict


def _calls(bench: Workbench) -> tuple[float, float, float]:
    """PutRecords of one event, GetRecords of one, and Invoke with one that writes a row."""
    kinesis, functions = bench.clients.kinesis, bench.clients.session.client("lambda")
    pipes, name = bench.clients.session.client("pipes"), bench.names.pipe
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
