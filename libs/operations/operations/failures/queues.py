"""A queue: looking at what is in it without taking it away, and taking it away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

AT_ONCE = 10
"""Messages of one call, the most that SQS takes."""

LISTEN_SECONDS = 1
"""A call that waits asks all servers of a queue; one that does not may miss what is on some.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""

SECONDS_EACH = 0.05
"""More than a message takes to be received and released, also where every call takes long."""


@dataclass(frozen=True, slots=True)
class Message:
    """`sent_at` is in seconds since the epoch; the receipt handle is that of the latest look."""

    message_id: str
    receipt_handle: str
    body: str
    sent_at: float


class Queue:
    """Raises the client's QueueDoesNotExist when there is none of that name."""

    def __init__(self, sqs: SQSClient, name: str) -> None:
        self._sqs = sqs
        self._url = sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def look(
        self,
        visible_after: float = 20,
        listen_seconds: int = LISTEN_SECONDS,
        *,
        found_so_far: Callable[[int], object] = lambda _count: None,
    ) -> list[Message]:
        """All messages that can be seen now, each once, the oldest first.

        They are hidden from everybody until they are released, at the latest after
        `visible_after` seconds, or as many as it may take to look at all that there are. SQS hides
        120,000 at most. Who looks again and again need not listen for what one look misses.
        After each call, `found_so_far` gets the number of messages found so far.
        """
        found: dict[str, Message] = {}
        hidden_for = max(visible_after, self._count("ApproximateNumberOfMessages") * SECONDS_EACH)
        while new := list(self._receive(hidden_for, listen_seconds)):
            known = found.keys() >= {message.message_id for message in new}
            found |= {message.message_id: message for message in new}
            found_so_far(len(found))
            if known:  # they show again already: this has taken too long to see more
                break
        return sorted(found.values(), key=lambda message: message.sent_at)

    @contextmanager
    def looking(self, visible_after: float = 120) -> Iterator[list[Message]]:
        """`look`, and release at the end."""
        messages = self.look(visible_after)
        try:
            yield messages
        finally:
            self.release(messages)

    def release(self, messages: Iterable[Message]) -> None:
        """Let everybody see them again at once. One that is gone meanwhile is passed over."""
        rest = iter(messages)
        while chunk := list(islice(rest, AT_ONCE)):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {
                        "Id": str(position),
                        "ReceiptHandle": message.receipt_handle,
                        "VisibilityTimeout": 0,
                    }
                    for position, message in enumerate(chunk)
                ],
            )

    def delete(self, message: Message) -> None:
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt_handle)

    def hidden(self) -> int:
        """Return about how many messages were received and are hidden until their visibility
        timeout ends."""
        return self._count("ApproximateNumberOfMessagesNotVisible")

    def _count(self, attribute: QueueAttributeNameType) -> int:
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[attribute])
        return int(answer["Attributes"][attribute])

    def _receive(self, hidden_for: float, listen_seconds: int) -> Iterator[Message]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=AT_ONCE,
            VisibilityTimeout=int(hidden_for),
            WaitTimeSeconds=listen_seconds,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        for message in answer.get("Messages", ()):
            yield Message(
                message_id=message["MessageId"],
                receipt_handle=message["ReceiptHandle"],
                body=message["Body"],
                sent_at=int(message["Attributes"]["SentTimestamp"]) / 1000,
            )
