"""Rejected events leave for the topic `inventory-failures`, with the reason and what came in."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from inventory.event import InvalidEventError
from inventory.records import Record

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

MESSAGES_AT_ONCE = 10
BYTES_AT_ONCE = 256 * 1024
"""What one PublishBatch takes. https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""

MAX_PAYLOAD_CHARACTERS = 20_000
"""How much of a payload is kept when the whole does not fit a message, escapes included."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that will never be accepted, and why."""

    record: Record
    reason: str
    event_id: str | None = None
    product_id: str | None = None


class Failures(Protocol):
    """Where rejections go."""

    def publish(self, rejections: Sequence[Rejection]) -> dict[str, str]:
        """Publish them; return, for each that could not be, its record's event id and why."""


class FailuresTopic:
    """The SNS topic of the rejections."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, rejections: Sequence[Rejection]) -> dict[str, str]:
        failed: dict[str, str] = {}
        for batch in _batches([(r.record.event_id, message_of(r)) for r in rejections]):
            entries: list[Any] = [
                {"Id": str(position), "Message": message}
                for position, (_, message) in enumerate(batch)
            ]
            try:
                answer = self._client.publish_batch(
                    TopicArn=self._topic_arn, PublishBatchRequestEntries=entries
                )
            except ClientError as error:
                failed |= dict.fromkeys((e for e, _ in batch), error.response["Error"]["Code"])
            except BotoCoreError as error:
                failed |= dict.fromkeys((e for e, _ in batch), type(error).__name__)
            else:
                for refused in answer["Failed"]:
                    failed[batch[int(refused["Id"])][0]] = refused["Code"]
        return failed


def message_of(rejection: Rejection) -> str:
    """The message of one rejection: JSON in ASCII.

    Its `payload` is what the producer put on the stream, as text where it is text, else in base64
    (`payload_encoding` says which). One that does not fit a message is cut, and the stream still
    has the whole: `shard_id` and `sequence_number` say where.
    """
    payload, encoding = _payload(rejection.record)
    body = {
        "reason": rejection.reason,
        "event_id": rejection.event_id,
        "product_id": rejection.product_id,
        "shard_id": rejection.record.shard_id,
        "sequence_number": rejection.record.sequence_number,
        "arrived_at": rejection.record.arrived_at,
        "payload": payload,
        "payload_encoding": encoding,
        "payload_truncated": False,
    }
    message = json.dumps(body)
    if len(message) <= BYTES_AT_ONCE:
        return message
    body |= {"payload": payload[:MAX_PAYLOAD_CHARACTERS], "payload_truncated": True}
    return json.dumps(body)


def _payload(record: Record) -> tuple[str, str]:
    try:
        data = record.payload()
    except InvalidEventError:
        return record.data, "none"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(data).decode("ascii"), "base64"


def _batches(messages: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    size = 0
    for event_id, message in messages:
        if batch and (len(batch) == MESSAGES_AT_ONCE or size + len(message) > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append((event_id, message))
        size += len(message)
    if batch:
        yield batch
