"""An SQS queue as target, standard or FIFO."""

from __future__ import annotations

from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients, queue_url
from eventbridge_pipes.path import resolve
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import batch, target
from eventbridge_pipes.telemetry.metrics import ExecutionTelemetry

_BYTES = 1024 * 1024
"""The limit of a message, and of all messages of a call together.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""

_NO_SUCH_QUEUE = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """Each message is sent to the queue.

    In a FIFO queue, a message that failed is not overtaken by a later call's messages of its
    group. Within a call SQS itself keeps the order of what it accepts.
    """
    sqs, queue = clients.sqs_calls, Arn.parse(pipe.target)
    parameters = KIND.parameters_of(pipe)
    names = ("MessageGroupId", "MessageDeduplicationId")
    attributes = {name: parameters[name] for name in names if parameters.get(name)}
    url: str | None = None

    def entry(position: int, message: target.Message) -> batch.Entry:
        resolved = {name: resolve(value, message.record) for name, value in attributes.items()}
        request = {"MessageBody": message.body, **resolved}
        group = resolved.get("MessageGroupId") if queue.is_fifo else None
        return batch.Entry(position, request, len(message.body.encode()), group)

    def send(**request: Any) -> dict[str, Any]:
        return sqs.call("SendMessageBatch", request)

    def call(entries: batch.Entries, execution: ExecutionTelemetry) -> batch.EntryErrors:
        nonlocal url
        try:
            url = url or queue_url(sqs, queue)
            request = {"QueueUrl": url, "Entries": batch.numbered(entries)}
            answer = target.call_service("sqs", send, request, execution)
        except errors.CallError as error:
            if errors.code_of(error) in _NO_SUCH_QUEUE:
                # A queue that is created again may have another URL.
                url = None
            raise
        except LookupError as error:
            raise target.UnreadableAnswerError(service="sqs", member=error.args[0]) from error
        return batch.failed_by_id("sqs", answer, len(entries))

    return batch.BatchTarget(KIND, _BYTES, _BYTES, entry, call).send


def violations(arn: Arn, parameters: target.Members, _: Arn) -> target.Problems:
    """A standard queue may have message groups too: SQS shares it fairly between them."""
    if arn.is_fifo and not parameters.get("MessageGroupId"):
        message = "A FIFO queue as target needs SqsQueueParameters with MessageGroupId"
        yield "MessageGroupId", message
    if not arn.is_fifo and parameters.get("MessageDeduplicationId"):
        message = "MessageDeduplicationId goes with a FIFO queue as target, and only with it"
        yield "MessageDeduplicationId", message


KIND = target.TargetKind(
    service="sqs",
    resource="[^:]*",
    label="an SQS queue",
    noun="queue",
    parameters="SqsQueueParameters",
    connect=connect,
    describe=lambda clients, arn: queue_url(clients.sqs_calls, arn),
    batch_limit=10,
    violations=violations,
)
