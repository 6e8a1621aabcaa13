"""An SNS topic as target. Pipes support standard topics only."""

from __future__ import annotations

from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import batch
from eventbridge_pipes.targets.target import Kind, Message, Send, call_service
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

BATCH_LIMIT = 10
_CALL_BYTES = 256 * 1024
_MESSAGE_BYTES = 1024 * 1024
"""A topic accepts 256 KiB, or what its MaximumMessageSize says, up to 1 MiB. Calls are small
enough for every topic. A message that is larger goes alone, and the topic decides.
https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""


def connect(pipe: Pipe, clients: Clients) -> Send:
    """Each message is published to the topic."""
    client = clients.sns

    def call(entries: batch.Entries, execution: ExecutionTelemetry) -> batch.EntryErrors:
        request = {"TopicArn": pipe.target, "PublishBatchRequestEntries": batch.numbered(entries)}
        answer = call_service("sns", client.publish_batch, request, execution)
        return batch.failed_by_id("sns", answer, len(entries))

    return batch.BatchTarget("sns", BATCH_LIMIT, _CALL_BYTES, _MESSAGE_BYTES, _entry, call).send


def _entry(position: int, message: Message) -> batch.Entry:
    return batch.Entry(position, {"Message": message.body}, len(message.body.encode()))


KIND = Kind("sns", "an SNS topic", None, BATCH_LIMIT, connect)
