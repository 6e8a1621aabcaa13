"""A Kinesis stream as target."""

from __future__ import annotations

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.path import resolve
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import target

_KEY_LENGTH = 256


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """Each message becomes a record. PartitionKey is a text or a path.

    Records that Kinesis does not accept lose their place in the order, as on AWS: PutRecords goes
    on with the records behind them.
    """
    partition_key: str = KIND.parameters_of(pipe)["PartitionKey"]

    def entry(message: target.Message) -> target.Entry:
        key = resolve(partition_key, message.record)
        if not 1 <= len(key) <= _KEY_LENGTH:
            raise target.UnsendableError(
                f"a partition key has 1 to {_KEY_LENGTH} characters, not {len(key)}"
            )
        request = {"Data": message.body, "PartitionKey": key}
        return target.Entry(request, len(message.body.encode()) + len(key.encode()))

    request = {"StreamARN": pipe.target}
    return target.BatchTarget(KIND, entry, clients.kinesis.put_records, lambda: request).send


def violations(_: Arn, parameters: target.Members, account: str) -> target.Problems:
    if not parameters.get("PartitionKey"):
        message = "A Kinesis stream as target needs KinesisStreamParameters with PartitionKey"
        yield "PartitionKey", message


KIND = target.BatchKind(
    service="kinesis",
    resource="stream/[^/:]*",
    label="a Kinesis stream",
    noun="stream",
    parameters="KinesisStreamParameters",
    connect=connect,
    describe=lambda clients, arn: clients.kinesis.describe_stream_summary(StreamARN=arn.text),
    violations=violations,
    entries="Records",
    failed=target.failed_by_place("Records"),
    batch_limit=500,
    # A record may have 1 MiB, or what the stream is set to, up to 10 MiB, its key included; the
    # stream decides. A call may have 10 MiB. It had 5 for years, which not all emulators have
    # changed. https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
    call_bytes=5 * 1024 * 1024,
    entry_bytes=10 * 1024 * 1024,
)
