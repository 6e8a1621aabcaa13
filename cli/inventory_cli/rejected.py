"""The rejected queue: a look at what is in it that leaves it there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LOOK_SECONDS = 20
"""How long a message that was looked at stays hidden from other readers."""


class RejectedQueue:
    """Collects the sequence numbers of the rejected records it has seen."""

    def __init__(self, client: SQSClient, queue: str) -> None:
        self._client = client
        self._url = client.get_queue_url(QueueName=queue)["QueueUrl"]
        self.sequence_numbers: set[int] = set()

    def poll(self) -> set[int]:
        """Look at what can be seen now, and return all that was seen so far."""
        while messages := self._client.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=LOOK_SECONDS
        ).get("Messages"):
            bodies = [json.loads(message["Body"]) for message in messages]
            self.sequence_numbers |= {int(body["sequence_number"]) for body in bodies}
        return self.sequence_numbers
