"""The message about records that the pipe gave up on, and where it goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients, queue_url
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources import source_kind


class Condition(StrEnum):
    """Why records were given up on."""

    ATTEMPTS = "RetryAttemptsExhausted"
    # No capture of AWS shows this one; it is the name that its Lambda counterpart uses.
    AGE = "RecordAgeExceeded"


def ranges(given_up: Sequence[Record], batch: Sequence[Record]) -> list[list[Record]]:
    """Cut `given_up` into ranges without a gap in `batch`, in the order of the batch.

    A message names its records by the first and the last sequence number only. A message over a
    gap would have whoever redrives it read delivered records again.
    """
    wanted = {record.sequence_number for record in given_up}
    by_presence = groupby(batch, key=lambda record: record.sequence_number in wanted)
    return [list(records) for present, records in by_presence if present]


def message(
    records: Sequence[Record], condition: Condition, pipe: Pipe, shard_id: str, now: float
) -> str:
    """Return the body, its keys in AWS's order. It has no payload. `now` is in epoch seconds."""
    first, last = records[0], records[-1]
    return json.dumps(
        {
            "context": {"partnerResourceArn": pipe.arn, "condition": condition},
            "version": "1.0",
            "timestamp": _iso(now),
            source_kind(pipe).batch_info: {
                "shardId": shard_id,
                "startSequenceNumber": first.sequence_number,
                "endSequenceNumber": last.sequence_number,
                "approximateArrivalOfFirstRecord": _iso(first.arrived),
                "approximateArrivalOfLastRecord": _iso(last.arrived),
                "batchSize": len(records),
                "streamArn": pipe.source,
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
        raise DeadLetterError(f"{arn}: {errors.summary(error)}") from error


def _iso(epoch: float) -> str:
    moment = datetime.fromtimestamp(round(epoch * 1000) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
