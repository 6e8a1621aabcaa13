"""Rejected events leave for the topic `inventory-rejections`, with the reason and what came in."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from botocore.exceptions import BotoCoreError, ClientError

from inventory.event import InvalidEventError
from inventory_aws.errors import is_transient, reason_of
from processor.patience import NO_TIME, ONE_TRY, Patience
from processor.records import Record

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

MESSAGES_AT_ONCE = 10
BYTES_AT_ONCE = 256 * 1024
"""What one PublishBatch takes. https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""

MAX_PAYLOAD_CHARACTERS = 20_000
"""How much of a payload is kept when the whole does not fit a message, escapes included."""

Message = tuple[str, str]
"""The event id of a record, and what is published of it."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that will never be accepted, and why; `code` is the reason in a word."""

    record: Record
    reason: str
    event_id: str | None = None
    product_id: str | None = None
    code: str | None = None


class Failures(Protocol):
    """Where rejections go."""

    def publish(self, rejections: Sequence[Rejection]) -> dict[str, str]:
        """Publish them; return, for each that could not be, its record's event id and why."""


class FailuresTopic:
    """The SNS topic of the rejections.

    When it is unavailable for now it is tried again, for no more than half of the time that is
    left: the table needs the other half, for events that are not to wait for the topic.
    """

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._patience = ONE_TRY

    def with_patience(self, patience: Patience) -> Self:
        """The same topic, for one invocation."""
        topic = copy(self)
        topic._patience = patience
        return topic

    def publish(self, rejections: Sequence[Rejection]) -> dict[str, str]:
        patience = self._patience.half()
        failed: dict[str, str] = {}
        for batch in _batches([(r.record.event_id, message_of(r)) for r in rejections]):
            failed |= self._publish(batch, patience)
        return failed

    def _publish(self, batch: Sequence[Message], patience: Patience) -> dict[str, str]:
        failed = {event_id: NO_TIME for event_id, _ in batch}
        left = batch
        tries = 0
        while left and patience.lasts:
            try:
                refused, lasting = self._send(left)
            except (ClientError, BotoCoreError) as error:
                refused = {event_id: reason_of(error) for event_id, _ in left}
                lasting = set() if is_transient(error) else set(refused)
            failed = {e: why for e, why in failed.items() if e not in dict(left)} | refused
            left = [message for message in left if message[0] in refused.keys() - lasting]
            tries += 1
            if left and not patience.wait(tries):
                break
        return failed

    def _send(self, messages: Sequence[Message]) -> tuple[dict[str, str], set[str]]:
        """Why each message that was refused was, and which of them always will be."""
        entries: list[Any] = [
            {"Id": str(position), "Message": message}
            for position, (_, message) in enumerate(messages)
        ]
        answer = self._client.publish_batch(
            TopicArn=self._topic_arn, PublishBatchRequestEntries=entries
        )
        refused = [(messages[int(entry["Id"])][0], entry) for entry in answer.get("Failed", ())]
        return (
            {event_id: entry["Code"] for event_id, entry in refused},
            {event_id for event_id, entry in refused if entry["SenderFault"]},
        )


def message_of(rejection: Rejection) -> str:
    """The message of one rejection: JSON in ASCII.

    Its `payload` is what the producer put on the stream, as text where it is text, else in base64
    (`payload_encoding` says which). One that does not fit a message is cut, and the stream still
    has the whole: `shard_id` and `sequence_number` say where.
    """
    payload, encoding = _payload(rejection.record)
    body = {
        "reason": rejection.reason,
        "code": rejection.code,
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


def _batches(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    batch: list[Message] = []
    size = 0
    for event_id, message in messages:
        if batch and (len(batch) == MESSAGES_AT_ONCE or size + len(message) > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append((event_id, message))
        size += len(message)
    if batch:
        yield batch
