"""A mapping from a table's stream or a queue waits for its batching window.

MiniStack 1.5.33: `services/lambda_svc.py` stores `MaximumBatchingWindowInSeconds`, but
`_poll_dynamodb_streams` does not read it, and neither do `_poll_sqs` and `_poll_kinesis`. A mapping
invokes its function at once for every write, which doubles the invocations of the pipeline.
`_receive_messages_for_esm` in `services/sqs.py` returns at most ten messages, whatever `BatchSize`
says. Here a batch that is not full waits until its first record is as old as the window, and a
batch of a queue has up to `BatchSize` messages. Mappings from Kinesis are as they were.
AWS: Lambda gathers records until the batch is full or the window has passed.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching

To report:
    Lambda: event source mappings ignore MaximumBatchingWindowInSeconds

    A mapping invokes its function as soon as there is a record. Expected: it waits until it has
    BatchSize records, or until the window has passed.
    To see it, with a function that logs len(event["Records"]) and a table with a stream:
        lambda_.create_event_source_mapping(
            FunctionName="f", EventSourceArn=stream_arn, StartingPosition="TRIM_HORIZON",
            BatchSize=100, MaximumBatchingWindowInSeconds=5)
        for n in range(5):
            dynamodb.put_item(TableName="table", Item={"id": {"S": str(n)}})
            time.sleep(0.5)
    The function logs five batches of one record instead of one batch of five.
    Proposed change: in each poller, leave a batch that is shorter than BatchSize until its first
    record is as old as the window. In `_receive_messages_for_esm`, receive up to BatchSize.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb, lambda_svc, sqs

Records = list[dict[str, Any]]
Read = Callable[..., Records]

_of_a_mapping = threading.local()
"""True if a mapping reads on this thread. GetRecords calls the same function."""


def apply() -> None:
    lambda_svc._poll_dynamodb_streams = _marked(lambda_svc._poll_dynamodb_streams)
    dynamodb.stream_records_since = _gathering(dynamodb.stream_records_since)
    sqs._receive_messages_for_esm = _receiving(sqs._receive_messages_for_esm)


def _marked(poll: Callable[[], bool]) -> Callable[[], bool]:
    def polled() -> bool:
        _of_a_mapping.reads = True
        try:
            return poll()
        finally:
            _of_a_mapping.reads = False

    return polled


def _gathering(read: Read) -> Read:
    """`read`, which returns no records to a mapping while its window lasts."""

    def gathered(table: str, position: int, most: int, **scope: Any) -> Records:
        records = read(table, position, most, **scope)
        if not records or len(records) >= most or not getattr(_of_a_mapping, "reads", False):
            return records
        first_at = float(records[0]["dynamodb"]["ApproximateCreationDateTime"])
        stream = f":table/{table}/stream/"
        return [] if _is_open(lambda source: stream in source, first_at) else records

    return gathered


def _receiving(receive: Callable[[str, int], Records]) -> Callable[[str, int], Records]:
    """`receive`, which returns no messages while the window lasts, and then up to `most`."""

    def received(url: str, most: int) -> Records:
        with sqs._queues_lock:
            queue, now = sqs._queues[url], time.time()
            waiting = [m for m in queue["messages"] if m.get("visible_at", now) <= now]
        if len(waiting) < most:
            arn = queue["attributes"]["QueueArn"]
            if waiting and _is_open(lambda source: source == arn, waiting[0]["sent_at"]):
                return []
        messages: Records = []
        while len(messages) < most and (more := receive(url, most - len(messages))):
            messages += more
        return messages

    return received


def _is_open(is_source: Callable[[str], bool], first_at: float) -> bool:
    """Return whether the shortest window of the mappings from a source still lasts."""
    windows = [
        mapping.get("MaximumBatchingWindowInSeconds", 0)
        for _, _, mapping in lambda_svc._iter_all_esms()
        if is_source(mapping["EventSourceArn"])
    ]
    # Below zero: the clock was set back meanwhile.
    return 0 <= time.time() - first_at < min(windows, default=0)
