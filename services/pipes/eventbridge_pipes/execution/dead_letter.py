"""The message about records that the pipe gave up on, and where it goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.aws.queue_url import queue_url
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources.kinds import SourceKind


class Condition(StrEnum):
    """Why records were given up on."""

    ATTEMPTS = "RetryAttemptsExhausted"
    # No capture of AWS shows this one; it is the name that its Lambda counterpart uses.
    AGE = "RecordAgeExceeded"


_BATCH_INFO = {SourceKind.KINESIS: "KinesisBatchInfo", SourceKind.DYNAMODB: "DDBStreamBatchInfo"}


def runs(given_up: Sequence[Record], batch: Sequence[Record]) -> list[tuple[Record, ...]]:
    """`given_up` cut into stretches without a gap in `batch`, in the order of the batch.

    A message names its records by the first and the last sequence number only: one over a gap
    would have whoever redrives it read records again that were delivered.
    """
    wanted = {record.sequence_number for record in given_up}
    found: list[list[Record]] = []
    in_run = False
    for record in batch:
        if record.sequence_number not in wanted:
            in_run = False
        elif in_run:
            found[-1].append(record)
        else:
            found.append([record])
            in_run = True
    return [tuple(run) for run in found]


def message(
    records: Sequence[Record],
    condition: Condition,
    *,
    kind: SourceKind,
    pipe_arn: str,
    stream_arn: str,
    shard_id: str,
    now: float,
) -> str:
    """The body, its keys in the order of AWS's own. It carries no payload. `now`: epoch seconds."""
    first, last = records[0], records[-1]
    return json.dumps(
        {
            "context": {"partnerResourceArn": pipe_arn, "condition": condition},
            "version": "1.0",
            "timestamp": _iso(now),
            _BATCH_INFO[kind]: {
                "shardId": shard_id,
                "startSequenceNumber": first.sequence_number,
                "endSequenceNumber": last.sequence_number,
                "approximateArrivalOfFirstRecord": _iso(first.arrived),
                "approximateArrivalOfLastRecord": _iso(last.arrived),
                "batchSize": len(records),
                "streamArn": stream_arn,
            },
        }
    )


class DeadLetterError(Exception):
    """The message may not have arrived; the text says why."""


def send(clients: Clients, arn: str, body: str) -> None:
    """Send a message to a standard queue or topic. Raises DeadLetterError."""
    target = Arn.parse(arn)
    try:
        if target.service == "sns":
            clients.sns.publish(TopicArn=arn, Message=body)
        else:
            # Messages are rare, and a queue that is created again has another URL: ask each time.
            url = queue_url(clients.sqs_calls, target)
            clients.sqs_calls.call("SendMessage", {"QueueUrl": url, "MessageBody": body})
    except (*errors.CallError, LookupError) as error:
        raise DeadLetterError(f"{arn}: {errors.describe(error)}") from error


def _iso(epoch: float) -> str:
    moment = datetime.fromtimestamp(round(epoch * 1000) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
