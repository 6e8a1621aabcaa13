"""Records and pipes for the unit tests of the Pipes service."""

from __future__ import annotations

import json

from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Payload, Record

SHARD = "shardId-000000000000"


def record(number: int, arrived: float = 0.0, size: int = 0) -> Record:
    """Record `number` of a shard; its body is the number, filled up to `size` characters."""
    sequence_number = f"{number:030d}"
    return Record(f"{SHARD}:{sequence_number}", sequence_number, arrived, str(number).rjust(size))


def holding(body: str, payload: Payload | None = None) -> Record:
    """A record of this JSON, `payload` in it."""
    return Record(body=body, members=json.loads(body), payload=payload)


def records(count: int, arrived: float = 0.0) -> tuple[Record, ...]:
    return tuple(record(number, arrived) for number in range(count))


PIPE = Pipe(
    name="sample",
    arn="arn:aws:pipes:us-east-1:000000000000:pipe/sample",
    source="arn:aws:kinesis:us-east-1:000000000000:stream/sample",
    target="arn:aws:lambda:us-east-1:000000000000:function:sample",
    role_arn="arn:aws:iam::000000000000:role/sample",
    created=1700000000.0,
    modified=1700000000.0,
    source_parameters={"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}},
)
