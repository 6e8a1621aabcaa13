"""The URL of a saved queue leads to the port that MiniStack listens on now.

MiniStack 1.5.33: `_restore_state` in `services/sqs.py` restores each queue under the URL it had
when it was saved. `_externalize_url` does not change that URL if `MINISTACK_HOST` is set, or if its
host and port are not MiniStack's own.
AWS: SQS assigns the URL of a queue, and every request to that URL reaches the queue.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html

To report:
    SQS: after a restart on another port, restored queues keep the URL of the old port

    With PERSIST_STATE=1, GetQueueUrl and ListQueues return URLs of a port that nothing listens on.
    SDKs that use the queue's URL as the endpoint (JavaScript v3) cannot connect.
    Expected: URLs with the current host and port.
    To see it, start MiniStack with GATEWAY_PORT=4566 PERSIST_STATE=1:
        boto3.client("sqs", endpoint_url="http://localhost:4566").create_queue(QueueName="q")
    Stop it, start it with GATEWAY_PORT=4567, and ask again:
        sqs = boto3.client("sqs", endpoint_url="http://localhost:4567")
        sqs.get_queue_url(QueueName="q")["QueueUrl"]  # http://localhost:4566/000000000000/q
    Proposed change: in `_restore_state`, store each queue under `_queue_url_for_account` of its
    account and name, and set its "url" to the same value.
"""

from __future__ import annotations

from typing import Any

from ministack.services import sqs


def apply() -> None:
    load = sqs.load_persisted_state

    def loaded(state: dict[str, Any]) -> None:
        held = state["queues"]._data
        for (account, region, _), queue in list(held.items()):
            del held[account, region, queue["url"]]
            queue["url"] = sqs._queue_url_for_account(account, queue["name"])
            held[account, region, queue["url"]] = queue
        load(state)

    sqs.load_persisted_state = loaded
