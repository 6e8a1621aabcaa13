"""Read the messages of a queue without taking them away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from inventory.failure_messages import parse_rejection

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

MESSAGES_PER_CALL = 10
"""The most that SQS allows."""

LISTEN_SECONDS = 1
"""A call that waits asks all servers of a queue; one that does not may miss messages.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""

SECONDS_EACH = 0.05
"""More than a message takes to be received and released, also where every call takes long."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """`sent_at` is in epoch seconds."""

    message_id: str
    receipt_handle: str
    body: str
    sent_at: float


@dataclass(frozen=True)
class Queue:
    """Its methods raise the client's QueueDoesNotExist if there is no queue of that name."""

    sqs: SQSClient
    name: str

    @cached_property
    def _url(self) -> str:
        return self.sqs.get_queue_url(QueueName=self.name)["QueueUrl"]

    def receive_all(
        self, visible_after: float = 20, listen_seconds: int = LISTEN_SECONDS
    ) -> list[ReceivedMessage]:
        """Return all messages that are visible now, each once, the oldest first.

        They are hidden from everybody until they are released: at the latest after `visible_after`
        seconds, or longer if reading takes longer. SQS hides 120,000 at most.
        """
        found: dict[str, ReceivedMessage] = {}
        hidden_for = max(visible_after, self._count("ApproximateNumberOfMessages") * SECONDS_EACH)
        while new := self._receive(hidden_for, listen_seconds):
            known = found.keys() >= new.keys()
            found |= new
            if known:  # the first are visible again already: reading has taken too long
                break
        return sorted(found.values(), key=lambda message: message.sent_at)

    def peek(self, visible_after: float = 120) -> list[ReceivedMessage]:
        """Return all messages, visible to everybody again."""
        messages = self.receive_all(visible_after)
        self.release(messages)
        return messages

    def release(self, messages: Iterable[ReceivedMessage]) -> None:
        """Make them visible to everybody again at once. Ignore those that are gone."""
        rest = iter(messages)
        while chunk := list(islice(rest, MESSAGES_PER_CALL)):
            self.sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": m.receipt_handle, "VisibilityTimeout": 0}
                    for n, m in enumerate(chunk)
                ],
            )

    def delete(self, message: ReceivedMessage) -> None:
        self.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt_handle)

    def hidden(self) -> int:
        """About how many messages are hidden, because somebody has received them."""
        return self._count("ApproximateNumberOfMessagesNotVisible")

    def _count(self, attribute: QueueAttributeNameType) -> int:
        answer = self.sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[attribute])
        return int(answer["Attributes"][attribute])

    def _receive(self, hidden_for: float, listen_seconds: int) -> dict[str, ReceivedMessage]:
        answer = self.sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=MESSAGES_PER_CALL,
            VisibilityTimeout=int(hidden_for),
            WaitTimeSeconds=listen_seconds,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        return {
            each["MessageId"]: ReceivedMessage(
                message_id=each["MessageId"],
                receipt_handle=each["ReceiptHandle"],
                body=each["Body"],
                sent_at=int(each["Attributes"]["SentTimestamp"]) / 1000,
            )
            for each in answer.get("Messages", ())
        }


class RejectedQueue:
    """Collects the sequence numbers of the rejected records that it has seen."""

    def __init__(self, sqs: SQSClient, name: str) -> None:
        self._queue = Queue(sqs, name)
        self.sequence_numbers: set[int] = set()

    def poll(self) -> set[int]:
        """Read the messages that are visible now, and return all numbers so far."""
        messages = self._queue.receive_all(listen_seconds=0)
        rejections = [parse_rejection(message.body) for message in messages]
        self.sequence_numbers |= {each.sequence_number for each in rejections if each}
        return self.sequence_numbers
