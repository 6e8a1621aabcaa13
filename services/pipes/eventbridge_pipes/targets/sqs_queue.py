"""An SQS queue as target, standard or FIFO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import AwsJsonClient, queue_url
from eventbridge_pipes.path import resolve
from eventbridge_pipes.targets import batch, refusals
from eventbridge_pipes.targets.batch import BatchApi, Entry, numbered
from eventbridge_pipes.targets.calling import make
from eventbridge_pipes.targets.refusals import Refusal
from eventbridge_pipes.targets.target import Answer, Calls, Message

_BYTES = 1024 * 1024
"""What a message may have, and all messages of a call together.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""

_NO_SUCH_QUEUE = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


class QueueTarget:
    """Each message becomes one of the queue.

    In a FIFO queue, a message that was refused is not overtaken by a later call's messages of its
    group. Within a call SQS itself keeps the order of what it takes.
    """

    def __init__(self, sqs: AwsJsonClient, queue: Arn, parameters: Mapping[str, Any]) -> None:
        """`parameters` are PipeTargetSqsQueueParameters."""
        self._sqs = sqs
        self._queue = queue
        self._url: str | None = None
        self._fifo = queue.resource.endswith(".fifo")
        names = ("MessageGroupId", "MessageDeduplicationId")
        self._attributes = {name: parameters[name] for name in names if parameters.get(name)}
        self._api = BatchApi("sqs", _BYTES, _BYTES, self._entry)

    def send(self, messages: Sequence[Message], calls: Calls) -> Answer:
        return batch.send(messages, self._api, lambda entries: self._call(entries, calls))

    def _entry(self, position: int, message: Message) -> Entry:
        attributes = {n: resolve(value, message.record) for n, value in self._attributes.items()}
        request = {"MessageBody": message.body, **attributes}
        group = attributes.get("MessageGroupId") if self._fifo else None
        return Entry(position, request, len(message.body.encode()), group)

    def _call(self, entries: Sequence[Entry], calls: Calls) -> Mapping[int, Refusal]:
        if self._url is None:
            self._url = queue_url(self._sqs, self._queue)
        request = {"QueueUrl": self._url, "Entries": numbered(entries)}
        try:
            answer = make(self._send, request, calls)
        except errors.CallError as error:
            if errors.code_of(error) in _NO_SUCH_QUEUE:
                # A queue that is made again may have another URL.
                self._url = None
            raise
        return refusals.of_failed("sqs", answer)

    def _send(self, **request: Any) -> dict[str, Any]:
        return self._sqs.call("SendMessageBatch", request)
