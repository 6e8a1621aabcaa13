"""A Kinesis stream as target."""

from __future__ import annotations

from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.path import resolve
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import batch, target
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

_CALL_BYTES = 5 * 1024 * 1024
_RECORD_BYTES = 10 * 1024 * 1024
"""A record may have 1 MiB, or what the stream is set to, up to 10 MiB, its key included; the
stream decides. A call may have 10 MiB. It had 5 for years, which not all emulators have changed.
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html"""

_KEY_LENGTH = 256


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """Each message becomes a record. PartitionKey is a text or a path.

    Records that Kinesis does not accept lose their place in the order, as on AWS: PutRecords goes
    on with the records behind them.
    """
    partition_key: str = KIND.parameters_of(pipe)["PartitionKey"]

    def entry(position: int, message: target.Message) -> batch.Entry:
        key = resolve(partition_key, message.record)
        if not 1 <= len(key) <= _KEY_LENGTH:
            raise batch.UnsendableError(
                f"a partition key has 1 to {_KEY_LENGTH} characters, not {len(key)}"
            )
        request = {"Data": message.body, "PartitionKey": key}
        return batch.Entry(position, request, len(message.body.encode()) + len(key.encode()))

    def call(entries: batch.Entries, execution: ExecutionTelemetry) -> batch.EntryErrors:
        request = {"StreamARN": pipe.target, "Records": [entry.request for entry in entries]}
        answer = target.call_service("kinesis", clients.kinesis.put_records, request, execution)
        return batch.failed_by_place("kinesis", answer, "Records", len(entries))

    return batch.BatchTarget(KIND, _CALL_BYTES, _RECORD_BYTES, entry, call).send


def describe(clients: Clients, arn: Arn) -> float:
    """Return when the stream was created, in seconds since the epoch."""
    answer: Any = clients.kinesis.describe_stream_summary(StreamARN=arn.text)
    # The clients leave times as the numbers that they are on the wire.
    return float(answer["StreamDescriptionSummary"]["StreamCreationTimestamp"])


def violations(_: Arn, parameters: target.Members, role: Arn) -> target.Problems:
    if not parameters.get("PartitionKey"):
        message = "A Kinesis stream as target needs KinesisStreamParameters with PartitionKey"
        yield "PartitionKey", message


KIND = target.TargetKind(
    service="kinesis",
    resource="stream/[^/:]*",
    label="a Kinesis stream",
    noun="stream",
    parameters="KinesisStreamParameters",
    connect=connect,
    describe=describe,
    batch_limit=500,
    violations=violations,
)
