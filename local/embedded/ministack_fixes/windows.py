"""The mappings of MiniStack from a table's stream, which wait for their batching window.

As they come, they call their function at once for every write, and the pipeline then shares the
machine with as many calls again. Here a batch that is not full waits until the first of its records
is as old as the window.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb, lambda_svc

Records = list[dict[str, Any]]
Read = Callable[..., Records]

_of_a_mapping = threading.local()
"""Whether it is a mapping that reads, on this thread: GetRecords reads the same way."""


def wait_for_windows() -> None:
    """Put it right in the modules of this process: to be called before MiniStack serves."""
    lambda_svc._poll_dynamodb_streams = _marked(lambda_svc._poll_dynamodb_streams)
    dynamodb.stream_records_since = _gathering(dynamodb.stream_records_since)


def _marked(poll: Callable[[], bool]) -> Callable[[], bool]:
    def polled() -> bool:
        _of_a_mapping.reads = True
        try:
            return poll()
        finally:
            _of_a_mapping.reads = False

    return polled


def _gathering(read: Read) -> Read:
    """`read`, of a table from a position at most so many, but nothing while more may come."""

    def gathered(table: str, position: int, most: int, **scope: Any) -> Records:
        records = read(table, position, most, **scope)
        if not records or len(records) >= most or not getattr(_of_a_mapping, "reads", False):
            return records
        age = time.time() - float(records[0]["dynamodb"]["ApproximateCreationDateTime"])
        # Below zero: the clock was set back meanwhile.
        return [] if 0 <= age < _window(table) else records

    return gathered


def _window(table: str) -> float:
    """The seconds that the mapping of a table's stream waits; of several, the shortest."""
    marker = f":table/{table}/stream/"
    mappings = (mapping for _, _, mapping in lambda_svc._iter_all_esms())
    windows = [
        mapping.get("MaximumBatchingWindowInSeconds", 0)
        for mapping in mappings
        if marker in mapping["EventSourceArn"]
    ]
    return min(windows, default=0)
