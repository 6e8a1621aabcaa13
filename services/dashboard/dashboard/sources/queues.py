"""How many messages lie in the two queues of failed events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dashboard.sources.hub import Hub
from operations.verify.explain import RecordStatus

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class QueueSource:
    """The depth of one of them, under its name in the figures. `fate` is that of its events."""

    def __init__(
        self, hub: Hub, sqs: SQSClient, queue: str, figure: str, fate: RecordStatus
    ) -> None:
        self._hub = hub
        self._sqs = sqs
        self._queue = queue
        self._figure = figure
        self._fate = fate

    def ask(self) -> None:
        asked_at = time.time()
        url = self._sqs.get_queue_url(QueueName=self._queue)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        depth = sum(int(count) for count in attributes.values())
        with self._hub.pipeline() as pipeline:
            setattr(pipeline.figures, self._figure, depth)
            if depth == 0:
                pipeline.queued([self._fate], (), asked_at)
