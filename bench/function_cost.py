"""What the function takes of the processor, and what its records and lines weigh.

`make bench-function`: the figures that `inventory plan` reckons with. The AWS SDK is the real one,
up to the bytes that it sends, which are answered here: only the function's own time is measured.
Each record adds a product that has no row, the dearest there is: two items of a transaction.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from bench.figures import kinesis_record, row, section
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.record import Record, json_array
from eventbridge_pipes.sources.kinesis import record_maker
from inventory.stock import Outcome, RemovalNamePolicy
from processor import handler
from processor.calls import Deadline
from processor.processor import process
from processor.records import Record as FunctionRecord
from processor.records import Result, records_of
from processor.store import Store
from processor.writes import Tables

TABLES = Tables("rows", "removals")
ROUNDS = 40
BATCH = 500
EVENT_BYTES = 200
STREAM = Arn.parse("arn:aws:kinesis:us-east-1:123456789012:stream/realtimeInventoryProcessing")
ROLE = "arn:aws:iam::123456789012:role/inventory-pipe-role"


class Rejected:
    """The topic of the rejections: always there."""

    def publish(self, rejected: Sequence[Result]) -> dict[str, str]:
        return {}


def records(first: int, count: int) -> list[Record]:
    """New products, as the pipe sends them, of EVENT_BYTES on the stream each."""
    record_of = record_maker(STREAM, "shardId-000000000000", ROLE)
    made = []
    for number in range(first, first + count):
        event: dict[str, Any] = {
            "event_type": "product_added",
            "event_id": f"01JD9ZB6Q3M0V6T1{number:010d}",
            "product": {
                "product_id": f"P{number}",
                "product_name": "",
                "quantity": number % 500,
                "timestamp": "2023-07-22 08:15:33",
            },
        }
        name = "n" * (EVENT_BYTES - len(json.dumps(event, separators=(",", ":"))))
        event |= {"product": event["product"] | {"product_name": name}}
        data = json.dumps(event, separators=(",", ":")).encode()
        raw = kinesis_record(4_9600_000_000_000 + number, f"P{number}", data, 1_800_000_000.0)
        made.append(record_of(raw))
    return made


def _payload(records: Sequence[Record]) -> bytes:
    return json_array(record.body for record in records).encode()


def answer(request: Any, **_: object) -> Any:
    """Answer in place of DynamoDB: no product has a row, and every write is done."""
    read = "BatchGetItem" in str(request.headers["X-Amz-Target"])
    content = b'{"Responses":{},"UnprocessedKeys":{}}' if read else b"{}"
    raw = SimpleNamespace(stream=lambda *a, **k: iter([content]), read=lambda *a: content)
    headers: Any = {"content-type": "application/json"}
    return AWSResponse("https://dynamodb", 200, headers, raw)


def processor() -> Callable[[Sequence[FunctionRecord]], list[Result]]:
    """The function's, its client answered here."""
    session = boto3.Session("none", "none", region_name="us-east-1")
    # As `handler` makes it.
    config = Config(parameter_validation=False, max_pool_connections=4)
    client = session.client("dynamodb", config=config, endpoint_url="https://dynamodb")
    client.meta.events.register("before-send.dynamodb", answer)
    store = Store(client, TABLES, ThreadPoolExecutor(4), Deadline(math.inf))
    to: Any = {"store": store, "topic": Rejected()}
    return partial(process, policy=RemovalNamePolicy.IGNORE, **to)


def seconds_of(batch: int, rounds: int) -> float:
    """Processor seconds of one invocation with so many records, the median of some."""
    function = processor()
    taken = []
    for number in range(rounds):
        sent = _payload(records(number * batch, batch))
        begun = time.process_time()
        done = function(records_of(json.loads(sent)))
        taken.append(time.process_time() - begun)
        assert all(result.outcome is Outcome.APPLIED for result in done)
    return sorted(taken)[rounds // 2]


def line_bytes() -> int:
    """What an invocation writes to its log when all goes well."""
    batch = records_of(json.loads(_payload(records(0, BATCH))))
    out = io.StringIO()
    results = [Result(record, Outcome.APPLIED) for record in batch]
    stream = handler.logger.handlers[0]
    kept = stream.stream  # type: ignore[attr-defined]
    with contextlib.redirect_stdout(out):
        stream.stream = out  # type: ignore[attr-defined]
        handler._report(results, 0.1, "8f5e0b3a-8d2f-4a30-9f6e-1f6b1f6b1f6b")
        stream.stream = kept  # type: ignore[attr-defined]
    return len(out.getvalue())


def main() -> None:
    section("The function's own processor time")
    few, many = seconds_of(1, 10 * ROUNDS), seconds_of(BATCH, ROUNDS)
    each = (many - few) / (BATCH - 1)
    row("an invocation", f"{(few - each) * 1e6:.0f} us")
    row("a record more, in a batch of 500", f"{each * 1e6:.0f} us")
    section("What things weigh")
    body = sum(record.size for record in records(0, 100)) / 100
    around = body - 4 / 3 * EVENT_BYTES
    row("a record in the pipe's payload, besides 4/3 of its event", f"{around:.0f} B")
    row("log lines of an invocation that goes well", f"{line_bytes()} B")


if __name__ == "__main__":
    main()
