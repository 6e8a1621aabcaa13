"""An SQS queue as source, standard or FIFO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from eventbridge_pipes import faults
from eventbridge_pipes.arns import Arn
from eventbridge_pipes.delivery.dead_letter_queue import queue_url
from eventbridge_pipes.sources.queue import Message, Refusal
from eventbridge_pipes.sources.records import SqsShape
from eventbridge_pipes.sources.stream import SourceError, SourceNotFoundError, ThrottledError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueue:
    """One queue (see `queue.Queue`). The client has to bear 20 seconds without an answer."""

    def __init__(self, client: SQSClient, arn: Arn) -> None:
        self._client = client
        self._arn = arn
        self._shape = SqsShape(arn)
        self._known_url: str | None = None
        self.ordered = arn.resource.endswith(".fifo")

    def visibility_timeout(self) -> int:
        with self._translated():
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url(), AttributeNames=["VisibilityTimeout"]
            )
        return int(answer["Attributes"]["VisibilityTimeout"])

    def receive(self, count: int, wait: int, visibility: int | None = None) -> list[Message]:
        hidden: dict[str, Any] = {} if visibility is None else {"VisibilityTimeout": visibility}
        with self._translated():
            answer = self._client.receive_message(
                QueueUrl=self._url(),
                MaxNumberOfMessages=count,
                WaitTimeSeconds=wait,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                **hidden,
            )
        return [
            Message(self._shape.record(cast(dict[str, Any], raw)), raw["ReceiptHandle"])
            for raw in answer.get("Messages", [])
        ]

    def delete(self, messages: Sequence[Message]) -> list[Refusal]:
        with self._translated():
            answer = self._client.delete_message_batch(
                QueueUrl=self._url(),
                Entries=[
                    {"Id": str(i), "ReceiptHandle": m.receipt} for i, m in enumerate(messages)
                ],
            )
        return _refusals(answer.get("Failed", []), messages)

    def release(self, messages: Sequence[Message]) -> list[Refusal]:
        with self._translated():
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self._url(),
                Entries=[
                    {"Id": str(i), "ReceiptHandle": m.receipt, "VisibilityTimeout": 0}
                    for i, m in enumerate(messages)
                ],
            )
        return _refusals(answer.get("Failed", []), messages)

    def _url(self) -> str:
        if self._known_url is None:
            self._known_url = queue_url(self._client, self._arn)
        return self._known_url

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except faults.CallError as error:
            reason = faults.describe(error)
            # A code of the query protocol comes with a prefix: AWS.SimpleQueueService.….
            code = faults.code_of(error).rpartition(".")[2]
            if code in ("QueueDoesNotExist", "NonExistentQueue"):
                self._known_url = None
                raise SourceNotFoundError(reason) from error
            if faults.is_throttling(error) or code == "OverLimit":
                raise ThrottledError(reason) from error
            raise SourceError(reason) from error


def _refusals(failed: Sequence[Mapping[str, Any]], messages: Sequence[Message]) -> list[Refusal]:
    return [
        Refusal(
            messages[int(entry["Id"])],
            f"{entry['Code']}: {entry.get('Message', '')}",
            stale=bool(entry.get("SenderFault")),
        )
        for entry in failed
    ]
