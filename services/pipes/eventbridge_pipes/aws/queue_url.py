"""The URL of a queue, which SQS wants where others take an ARN."""

from __future__ import annotations

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.calls import Calls


def queue_url(sqs: Calls, queue: Arn) -> str:
    """Asks for it. Raises botocore's ClientError or BotoCoreError."""
    arguments = {"QueueName": queue.name, "QueueOwnerAWSAccountId": queue.account}
    url: str = sqs.call("GetQueueUrl", arguments)["QueueUrl"]
    return url
