"""An SNS topic as target. Pipes take standard topics only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.targets import batch, refusals
from eventbridge_pipes.targets.batch import BatchApi, Entry, numbered
from eventbridge_pipes.targets.calling import make
from eventbridge_pipes.targets.refusals import Refusal
from eventbridge_pipes.targets.target import Answer, Calls, Message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_CALL_BYTES = 256 * 1024
_MESSAGE_BYTES = 1024 * 1024
"""A topic takes 256 KiB, or what its MaximumMessageSize says, up to 1 MiB. Calls are cut so that
every topic takes them; a message that is larger goes alone, and the topic decides.
https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""


class TopicTarget:
    """Each message becomes one of the topic."""

    def __init__(self, client: SNSClient, topic: Arn) -> None:
        self._client = client
        self._topic = topic
        self._api = BatchApi("sns", _CALL_BYTES, _MESSAGE_BYTES, _entry)

    def send(self, messages: Sequence[Message], calls: Calls) -> Answer:
        return batch.send(messages, self._api, lambda entries: self._call(entries, calls))

    def _call(self, entries: Sequence[Entry], calls: Calls) -> Mapping[int, Refusal]:
        request = {
            "TopicArn": self._topic.text,
            "PublishBatchRequestEntries": numbered(entries),
        }
        return refusals.of_failed("sns", make(self._client.publish_batch, request, calls))


def _entry(position: int, message: Message) -> Entry:
    return Entry(position, {"Message": message.body}, len(message.body.encode()))
