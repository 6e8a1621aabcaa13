"""The queues of MiniStack: quick also when they hold thousands of messages, and where it listens.

As it comes, each call that receives looks at every message of its queue several times: to read
10,000 of them takes minutes. Here it looks for as many as it needs, and once a second for those
that are past their retention, which is a minute at the least. And as it comes, a queue that was
saved keeps the URL of the port that MiniStack had then.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
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


def look_no_further_than_needed() -> None:
    """Put it right in the modules of this process: to be called before MiniStack serves."""
    sqs._collect_msgs = _of_the_first(sqs._collect_msgs)
    sqs._expire_retained = _now_and_then(sqs._expire_retained)


def lead_to_where_it_listens() -> None:
    """Put it right in the modules of this process: to be called before MiniStack serves."""
    load = sqs.load_persisted_state

    def loaded(state: dict[str, Any]) -> None:
        held = state["queues"]._data
        for (account, region, _), queue in list(held.items()):
            del held[account, region, queue["url"]]
            queue["url"] = sqs._queue_url_for_account(account, queue["name"])
            held[account, region, queue["url"]] = queue
        load(state)

    sqs.load_persisted_state = loaded


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
