"""Receiving a message from a queue is quick, even if the queue holds thousands of messages.

MiniStack 1.5.33: for each receive, `_expire_retained` and `_collect_msgs` in `services/sqs.py` look
at every message of the queue. Here a receive looks for as many messages as it returns. It looks for
messages past their retention at most once a second: the shortest retention is a minute.
AWS: a standard queue accepts a nearly unlimited number of calls per second.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html

To report:
    SQS: ReceiveMessage takes time in proportion to the messages in the queue

    Each call looks at every message several times. Reading a queue of 10,000 messages takes
    10 seconds, one of 20,000 messages takes 46 seconds.
    Expected: the time of a call does not depend on how many messages wait.
    To see it:
        url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        for _ in range(1000):
            batch = [{"Id": str(n), "MessageBody": "x"} for n in range(10)]
            sqs.send_message_batch(QueueUrl=url, Entries=batch)
        while sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            pass  # time this loop
    Proposed change: for standard queues, end the search in `_collect_msgs` after `max_n` messages,
    and call `_expire_retained` at most once a second for each queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from math import inf
from typing import Any

from ministack.services import sqs

EXPIRY_SECONDS = 1.0

Messages = list[dict[str, Any]]
Queue = dict[str, Any]


def apply() -> None:
    sqs._collect_msgs = _of_the_first(sqs._collect_msgs)
    sqs._expire_retained = _now_and_then(sqs._expire_retained)


def _of_the_first(collect: Callable[[Queue, int, int], Messages]) -> Callable[..., Messages]:
    def collected(queue: Queue, most: int, hidden_for: int) -> Messages:
        if queue["is_fifo"]:  # which may be given depends on the others of its group
            return collect(queue, most, hidden_for)
        now = time.time()
        visible = (m for m in queue["messages"] if m.get("visible_at", now) <= now)
        return collect({**queue, "messages": list(islice(visible, most))}, most, hidden_for)

    return collected


def _now_and_then(expire: Callable[[Queue], None]) -> Callable[[Queue], None]:
    looked: dict[str, float] = {}

    def expired(queue: Queue) -> None:
        arn, now = queue["attributes"]["QueueArn"], time.monotonic()
        if now - looked.get(arn, -inf) >= EXPIRY_SECONDS:
            looked[arn] = now
            expire(queue)

    return expired
