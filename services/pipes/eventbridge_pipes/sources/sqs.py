"""An SQS queue as source, standard or FIFO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import AwsJsonClient, queue_url
from eventbridge_pipes.record import Payload, Record
from eventbridge_pipes.sources.queue import Message, Refusal
from eventbridge_pipes.sources.source import (
    SourceError,
    SourceNotFoundError,
    ThrottledError,
    compact_json,
    in_order,
)


class SqsQueue:
    """One queue (see `queue.Queue`). The calls have to bear 20 seconds without an answer."""

    def __init__(self, calls: AwsJsonClient, arn: Arn) -> None:
        self._calls = calls
        self._arn = arn
        self._shape = SqsShape(arn)
        self._known_url: str | None = None
        self.ordered = arn.resource.endswith(".fifo")

    def visibility_timeout(self) -> int:
        answer = self._call("GetQueueAttributes", AttributeNames=["VisibilityTimeout"])
        with self._translated():
            return int(answer["Attributes"]["VisibilityTimeout"])

    def receive(self, count: int, wait: int, visibility: int | None = None) -> list[Message]:
        answer = self._call(
            "ReceiveMessage",
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            **({} if visibility is None else {"VisibilityTimeout": visibility}),
        )
        with self._translated():
            # An empty list may be missing, or null.
            return [
                Message(self._shape.record(raw), raw["ReceiptHandle"])
                for raw in answer.get("Messages") or []
            ]

    def delete(self, messages: Sequence[Message]) -> list[Refusal]:
        return self._clear("DeleteMessageBatch", messages)

    def release(self, messages: Sequence[Message]) -> list[Refusal]:
        return self._clear("ChangeMessageVisibilityBatch", messages, VisibilityTimeout=0)

    def _clear(self, operation: str, messages: Sequence[Message], **members: int) -> list[Refusal]:
        entries = [
            {"Id": str(position), "ReceiptHandle": message.receipt, **members}
            for position, message in enumerate(messages)
        ]
        answer = self._call(operation, Entries=entries)
        return [
            Refusal(
                messages[int(entry["Id"])],
                f"{entry['Code']}: {entry.get('Message', '')}",
                stale=bool(entry.get("SenderFault")),
            )
            for entry in answer.get("Failed") or []
        ]

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        with self._translated():
            return self._calls.call(operation, {"QueueUrl": self._url(), **arguments})

    def _url(self) -> str:
        if self._known_url is None:
            self._known_url = queue_url(self._calls, self._arn)
        return self._known_url

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except errors.CallError as error:
            reason = errors.describe(error)
            # A code of the query protocol comes with a prefix: AWS.SimpleQueueService.….
            code = errors.code_of(error).rpartition(".")[2]
            if code in ("QueueDoesNotExist", "NonExistentQueue"):
                self._known_url = None
                raise SourceNotFoundError(reason) from error
            if errors.is_throttling(error) or code == "OverLimit":
                raise ThrottledError(reason) from error
            raise SourceError(reason) from error
        except LookupError as error:
            # Something else than SQS listens at its endpoint.
            raise SourceError(f"the answer lacks {error}") from error


class SqsShape:
    """Makes the records of a queue's messages, members in the order of AWS's example.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
    """

    def __init__(self, queue: Arn) -> None:
        self._queue = queue

    def record(self, raw: dict[str, Any]) -> Record:
        """`raw` is a message of ReceiveMessage with all its attributes, binary ones in base64."""
        attributes = in_order(raw.get("Attributes", {}), _SYSTEM_ATTRIBUTES)
        of_sender = raw.get("MessageAttributes", {})
        members = {
            "messageId": raw["MessageId"],
            "receiptHandle": raw["ReceiptHandle"],
            "body": raw["Body"],
            "attributes": attributes,
            "messageAttributes": {name: _attribute(of_sender[name]) for name in of_sender},
            "md5OfBody": raw["MD5OfBody"],
        }
        if of_sender and "MD5OfMessageAttributes" in raw:
            members["md5OfMessageAttributes"] = raw["MD5OfMessageAttributes"]
        members |= {
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.text,
            "awsRegion": self._queue.region,
        }
        return Record(
            event_id=raw["MessageId"],
            arrived=int(attributes.get("SentTimestamp", "0")) / 1000,
            body=compact_json(members),
            partition_key=attributes.get("MessageGroupId", ""),
            members=members,
            payload=BODY,
            receipt=raw["ReceiptHandle"],
        )


_SYSTEM_ATTRIBUTES = (
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "SentTimestamp",
    "SequenceNumber",
    "MessageGroupId",
    "SenderId",
    "MessageDeduplicationId",
    "ApproximateFirstReceiveTimestamp",
)


def _attribute(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute of the sender's, as Lambda's event source mapping passes it on.

    The lists are there and empty: SQS has no values for them.
    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    value = {
        name[0].lower() + name[1:]: raw[name]
        for name in ("StringValue", "BinaryValue")
        if name in raw
    }
    return {**value, "stringListValues": [], "binaryListValues": [], "dataType": raw["DataType"]}


BODY = Payload("body", str)
