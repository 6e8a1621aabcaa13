"""An SQS queue as source, standard or FIFO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import DirectClient, queue_url
from eventbridge_pipes.record import Payload, Record
from eventbridge_pipes.sources import source

CALL_LIMIT = 10
"""Messages that one call receives or deletes at most."""

LONGEST_VISIBILITY = 12 * 60 * 60

BODY = Payload("body", str)

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

_NOT_NAMED = {"Code": "NotNamed", "Message": "the answer does not name the message"}


class NotDeleted(NamedTuple):
    """A message that a call did not delete.

    `expired`: its receipt is no longer valid, because the message came into view again and may be
    with another reader. Another call would not help.
    """

    record: Record
    reason: str
    expired: bool = False


class SqsQueue:
    """One queue; threads may share it.

    `ordered` says whether it is FIFO: messages of a group come in order, and none while others of
    the group are hidden.
    """

    def __init__(self, client: DirectClient, arn: Arn) -> None:
        self.ordered = arn.is_fifo
        self._client = client
        self._arn = arn
        self._known_url: str | None = None

    def visibility_timeout(self) -> int:
        """Seconds for which a message that was received stays hidden. Raises SourceError."""
        with self._errors():
            answer = self._call("GetQueueAttributes", AttributeNames=["VisibilityTimeout"])
            return int(answer["Attributes"]["VisibilityTimeout"])

    def receive(self, count: int, wait: int, visibility: int | None = None) -> list[Record]:
        """Receive at most `count` messages, one to ten. Raises SourceError.

        Waits up to `wait` seconds for the first of them. `visibility` replaces the queue's
        visibility timeout for these messages.
        """
        with self._errors():
            answer = self._call(
                "ReceiveMessage",
                MaxNumberOfMessages=count,
                WaitTimeSeconds=wait,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                **({} if visibility is None else {"VisibilityTimeout": visibility}),
            )
            # An empty list may be missing, or null.
            return [record_of(message, self._arn) for message in answer.get("Messages") or []]

    def delete(self, records: Sequence[Record]) -> list[NotDeleted]:
        """Delete messages, and return those that are not deleted.

        After a call that fails, the rest is not tried.
        """
        left: list[NotDeleted] = []
        for start in range(0, len(records), CALL_LIMIT):
            try:
                left += self._delete(records[start : start + CALL_LIMIT])
            except source.SourceError as error:
                return left + [NotDeleted(record, str(error)) for record in records[start:]]
        return left

    def close(self) -> None:
        """Close the connections that no call is using."""
        self._client.close()

    def _delete(self, records: Sequence[Record]) -> list[NotDeleted]:
        entries = [
            {"Id": str(position), "ReceiptHandle": record.receipt}
            for position, record in enumerate(records)
        ]
        with self._errors():
            answer = self._call("DeleteMessageBatch", Entries=entries)
            deleted = {entry["Id"] for entry in answer.get("Successful") or []}
            refused = {entry["Id"]: entry for entry in answer.get("Failed") or []}
            left = []
            for position, record in enumerate(records):
                if str(position) not in deleted:
                    entry = refused.get(str(position), _NOT_NAMED)
                    reason = f"{entry['Code']}: {entry.get('Message', '')}"
                    left.append(NotDeleted(record, reason, bool(entry.get("SenderFault"))))
            return left

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        if self._known_url is None:
            self._known_url = queue_url(self._client, self._arn)
        return self._client.call(operation, {"QueueUrl": self._known_url, **arguments})

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise what goes wrong with a call or its answer as a SourceError."""
        try:
            with source.translated():
                yield
        except source.SourceNotFoundError:
            self._known_url = None
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # Something else than SQS listens at its endpoint.
            raise source.SourceError(f"the answer lacks what SQS answers: {error!r}") from error


def visibility_for(queue_timeout: int, window: float) -> int | None:
    """The visibility timeout to receive with, in seconds; None for the queue's own.

    A message that waits for its batch uses its timeout up. Where the batching window would take
    more than half of it, the window comes on top: otherwise messages would come into view again,
    and be received twice, before their batch has left. AWS leaves this to whoever sets the queue
    up, and advises a timeout six times as long as the pipe takes.
    """
    if window * 2 <= queue_timeout:
        return None
    return min(LONGEST_VISIBILITY, queue_timeout + int(window))


def record_of(message: source.Members, queue: Arn) -> Record:
    """The record of a message, its members in the order of AWS's example.

    `message` is one of ReceiveMessage with all its attributes, binary ones in base64.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
    """
    attributes = source.in_order(message.get("Attributes", {}), _SYSTEM_ATTRIBUTES)
    of_sender = message.get("MessageAttributes", {})
    digest_given = of_sender and "MD5OfMessageAttributes" in message
    members = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": attributes,
        "messageAttributes": {name: _attribute(of_sender[name]) for name in of_sender},
        "md5OfBody": message["MD5OfBody"],
        **({"md5OfMessageAttributes": message["MD5OfMessageAttributes"]} if digest_given else {}),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.text,
        "awsRegion": queue.region,
    }
    return Record(
        event_id=message["MessageId"],
        arrived=int(attributes.get("SentTimestamp", "0")) / 1000,
        body=source.compact_json(members),
        partition_key=attributes.get("MessageGroupId", ""),
        members=members,
        payload=BODY,
        receipt=message["ReceiptHandle"],
    )


def _attribute(raw: source.Members) -> dict[str, Any]:
    """An attribute of the sender's, as Lambda's event source mapping passes it on.

    The lists are there and empty: SQS has no values for them.
    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    names = ("StringValue", "BinaryValue")
    value = source.uncapitalized({name: raw[name] for name in names if name in raw})
    return {**value, "stringListValues": [], "binaryListValues": [], "dataType": raw["DataType"]}


def violations(queue: Arn, parameters: source.Members) -> source.Problems:
    """The limits that Lambda's event source mapping has for queues.

    Pipes polls queues in the same way, but no page says whether it has them too: what is accepted
    with them is accepted without them. More than one receive can bring takes several, and so a
    window to collect messages in.
    https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    """
    size = parameters.get("BatchSize", 1)
    window = parameters.get("MaximumBatchingWindowInSeconds", 0)
    if queue.is_fifo and size > CALL_LIMIT:
        yield "BatchSize", f"The batch size of a FIFO queue is at most {CALL_LIMIT}, not {size}"
    if queue.is_fifo and window:
        message = "A FIFO queue as source has no batching window: leave it out, or set it to 0"
        yield "MaximumBatchingWindowInSeconds", message
    if not queue.is_fifo and size > CALL_LIMIT and not window:
        needed = "needs a MaximumBatchingWindowInSeconds of at least 1"
        yield "MaximumBatchingWindowInSeconds", f"A batch size over {CALL_LIMIT} {needed}"


KIND = source.SourceKind(
    service="sqs",
    payload=BODY,
    added=source.ADDED_UNLESS_SENT,
    resource="[^/]*",
    label="an SQS queue",
    noun="queue",
    describe=lambda clients, arn: queue_url(clients.sqs_calls, arn),
    parameters="SqsQueueParameters",
    default_batch_size=10,
    violations=violations,
)
