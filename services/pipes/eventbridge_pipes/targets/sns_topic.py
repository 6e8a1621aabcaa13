"""An SNS topic as target. Pipes support standard topics only."""

from __future__ import annotations

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import batch, target
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

_CALL_BYTES = 256 * 1024
_MESSAGE_BYTES = 1024 * 1024
"""A topic accepts 256 KiB, or what its MaximumMessageSize says, up to 1 MiB. Calls are small
enough for every topic. A message that is larger goes alone, and the topic decides.
https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """Each message is published to the topic."""

    def call(entries: batch.Entries, execution: ExecutionTelemetry) -> batch.EntryErrors:
        request = {"TopicArn": pipe.target, "PublishBatchRequestEntries": batch.numbered(entries)}
        answer = target.call_service("sns", clients.sns.publish_batch, request, execution)
        return batch.failed_by_id("sns", answer, len(entries))

    return batch.BatchTarget(KIND, _CALL_BYTES, _MESSAGE_BYTES, _entry, call).send


def _entry(position: int, message: target.Message) -> batch.Entry:
    return batch.Entry(position, {"Message": message.body}, len(message.body.encode()))


def violations(arn: Arn, _: target.Members, role: Arn) -> target.Problems:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html"""
    if arn.is_fifo:
        yield "", f"The topic {arn.text} is FIFO; only standard topics are supported as targets"


KIND = target.TargetKind(
    service="sns",
    resource="[^:]*",
    label="an SNS topic",
    noun="topic",
    connect=connect,
    describe=lambda clients, arn: clients.sns.get_topic_attributes(TopicArn=arn.text),
    batch_limit=10,
    violations=violations,
)
