"""Where dead-letter messages go: a standard SQS queue or SNS topic."""

from __future__ import annotations

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients, queue_url


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
                sqs = self._clients.sqs_calls
                url = queue_url(sqs, self._arn)
                sqs.call("SendMessage", {"QueueUrl": url, "MessageBody": body})
        except errors.CallError as error:
            raise DeadLetterError(f"{self._arn.text}: {errors.describe(error)}") from error
