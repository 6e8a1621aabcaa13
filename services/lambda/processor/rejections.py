"""Rejected events: the function publishes them on the topic `inventory-rejections`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from inventory.event import InvalidEventError
from processor.calls import Deadline, Unavailable, chunks, retried
from processor.records import Record, Result

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

MAX_MESSAGES = 10
MAX_BYTES = 256 * 1024
"""Of one PublishBatch. https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""

MAX_PAYLOAD_CHARACTERS = 20_000
"""How much of a payload is kept if the whole does not fit a message, escapes included."""


@dataclass(frozen=True, slots=True)
class RejectionsTopic:
    client: SNSClient
    arn: str
    deadline: Deadline

    def publish(self, rejected: Sequence[Result]) -> dict[str, str]:
        """Publish rejected events. Return the error code for each record that failed, by event id.

        Retries take at most half of the time that is left, because other events need the table.
        """
        deadline = self.deadline.halfway()
        failed: dict[str, str] = {}
        messages = [(result.record.event_id, message_of(result)) for result in rejected]
        for batch in chunks(messages, MAX_BYTES, _share):
            problems = retried(self._publish, dict(batch), deadline)
            failed |= {event_id: why.code for event_id, why in problems.items()}
        return failed

    def _publish(self, messages: Mapping[str, str]) -> dict[str, Unavailable]:
        ids = list(messages)
        entries: list[Any] = [
            {"Id": str(position), "Message": messages[event_id]}
            for position, event_id in enumerate(ids)
        ]
        try:
            answer = self.client.publish_batch(
                TopicArn=self.arn, PublishBatchRequestEntries=entries
            )
        except (ClientError, BotoCoreError) as error:
            return dict.fromkeys(ids, Unavailable.because_of(error))
        return {
            ids[int(each["Id"])]: Unavailable(each["Code"], transient=not each["SenderFault"])
            for each in answer.get("Failed", ())
        }


def message_of(rejected: Result) -> str:
    """Return the message about a rejected event: JSON in ASCII.

    `payload` is what the producer put on the stream, as text or in base64 (`payload_encoding`). If
    it is too long, it is cut. Then the stream still has it, at `shard_id` and `sequence_number`.
    """
    payload, encoding = _payload(rejected.record)
    body = {
        "reason": rejected.reason,
        "code": rejected.code,
        "event_id": rejected.event_id,
        "product_id": rejected.product_id,
        "shard_id": rejected.record.shard_id,
        "sequence_number": rejected.record.sequence_number,
        "arrived_at": rejected.record.arrived_at,
        "payload": payload,
        "payload_encoding": encoding,
        "payload_truncated": False,
    }
    message = json.dumps(body)
    if len(message) <= MAX_BYTES:
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


def _share(message: tuple[str, str]) -> int:
    """Return what a message takes of MAX_BYTES: at least so much that MAX_MESSAGES fit."""
    return max(len(message[1]), MAX_BYTES // MAX_MESSAGES)
