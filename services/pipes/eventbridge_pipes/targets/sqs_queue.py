"""An SQS queue as target, standard or FIFO."""

from __future__ import annotations

from functools import cache
from typing import Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients, queue_url
from eventbridge_pipes.path import resolve
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.targets import target


def connect(pipe: Pipe, clients: Clients) -> target.Send:
    """Each message is sent to the queue.

    In a FIFO queue, a message that failed is not overtaken by a later call's messages of its
    group. Within a call SQS itself keeps the order of what it accepts.
    """
    sqs, queue = clients.sqs_calls, Arn.parse(pipe.target)
    parameters = KIND.parameters_of(pipe)
    is_fifo = queue.is_fifo
    names = ("MessageGroupId", "MessageDeduplicationId")
    attributes = {name: parameters[name] for name in names if parameters.get(name)}

    def entry(message: target.Message) -> target.Entry:
        request = {"MessageBody": message.body}
        for name, value in attributes.items():
            request[name] = resolve(value, message.record)
        group = request.get("MessageGroupId") if is_fifo else None
        return target.Entry(request, len(message.body.encode()), group)

    url = cache(lambda: queue_url(sqs, queue))

    def request() -> target.Members:
        try:
            return {"QueueUrl": url()}
        except LookupError as error:
            raise target.UnreadableAnswerError(service="sqs", member=error.args[0]) from error

    def send_message_batch(**request: Any) -> dict[str, Any]:
        try:
            return sqs.call("SendMessageBatch", request)
        except errors.CallError as error:
            if errors.is_absent(error):
                url.cache_clear()  # a queue that is created again may have another URL
            raise

    return target.BatchTarget(KIND, entry, send_message_batch, request).send


def violations(arn: Arn, parameters: target.Members, _: str) -> target.Problems:
    """A standard queue may have message groups too: SQS shares it fairly between them."""
    if arn.is_fifo and not parameters.get("MessageGroupId"):
        message = "A FIFO queue as target needs SqsQueueParameters with MessageGroupId"
        yield "MessageGroupId", message
    if not arn.is_fifo and parameters.get("MessageDeduplicationId"):
        message = "MessageDeduplicationId goes with a FIFO queue as target, and only with it"
        yield "MessageDeduplicationId", message


KIND = target.BatchKind(
    service="sqs",
    resource="[^:]*",
    label="an SQS queue",
    noun="queue",
    parameters="SqsQueueParameters",
    connect=connect,
    describe=lambda clients, arn: queue_url(clients.sqs_calls, arn),
    violations=violations,
    entries="Entries",
    failed=target.failed_by_id,
    batch_limit=10,
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
    call_bytes=1024 * 1024,
)
