"""The rejected queue: a look at what is in it that leaves it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.rejections import parse_rejection
from operations.failures.queues import Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class RejectedQueue:
    """Collects the sequence numbers of the rejected records it has seen."""

    def __init__(self, client: SQSClient, queue: str) -> None:
        self._queue = Queue(client, queue)
        self.sequence_numbers: set[int] = set()

    def poll(self) -> set[int]:
        """Look at what can be seen now, and return all that was seen so far."""
        for message in self._queue.look(listen_seconds=0):
            if rejection := parse_rejection(message.body):
                self.sequence_numbers.add(rejection.sequence_number)
        return self.sequence_numbers
