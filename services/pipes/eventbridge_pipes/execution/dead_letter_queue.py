"""Where dead-letter messages go: a standard SQS queue or SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class DeadLetterError(Exception):
    """The message could not be handed over; the text says why."""


class DeadLetterQueue:
    """A queue or a topic, told apart by its ARN."""

    def __init__(self, clients: Clients, arn: str) -> None:
        self._clients = clients
        self._arn = Arn.parse(arn)

    def send(self, body: str) -> None:
        """Raises DeadLetterError when it is not certain that the message is there."""
        try:
            if self._arn.service == "sns":
                self._clients.sns.publish(TopicArn=self._arn.text, Message=body)
            else:
                # The URL is asked for each time: this is rare, and a queue made again has another.
                self._clients.sqs.send_message(
                    QueueUrl=queue_url(self._clients.sqs, self._arn), MessageBody=body
                )
        except errors.CallError as error:
            raise DeadLetterError(f"{self._arn.text}: {errors.describe(error)}") from error


def queue_url(client: SQSClient, arn: Arn) -> str:
    return client.get_queue_url(QueueName=arn.name, QueueOwnerAWSAccountId=arn.account)["QueueUrl"]
