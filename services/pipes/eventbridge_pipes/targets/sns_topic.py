"""An SNS topic as target. Pipes support standard topics only."""

from __future__ import annotations

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import target


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """Each message is published to the topic."""
    request = {"TopicArn": pipe.target}
    return target.BatchTarget(KIND, _entry, clients.sns.publish_batch, lambda: request).send


def _entry(message: target.Message) -> target.Entry:
    return target.Entry({"Message": message.body}, len(message.body.encode()))


def violations(arn: Arn, _: target.Members, account: str) -> target.Problems:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html"""
    if arn.is_fifo:
        yield "", f"The topic {arn.text} is FIFO; only standard topics are supported as targets"


KIND = target.BatchKind(
    service="sns",
    resource="[^:]*",
    label="an SNS topic",
    noun="topic",
    connect=connect,
    describe=lambda clients, arn: clients.sns.get_topic_attributes(TopicArn=arn.text),
    violations=violations,
    entries="PublishBatchRequestEntries",
    failed=target.failed_by_id,
    batch_limit=10,
    # A topic accepts 256 KiB, or what its MaximumMessageSize says, up to 1 MiB. Calls are small
    # enough for every topic. A message that is larger goes alone, and the topic decides.
    # https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
    call_bytes=256 * 1024,
    entry_bytes=1024 * 1024,
)
