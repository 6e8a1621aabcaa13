"""Functions have complete logs, and mappings from a table's stream gather records.

1. The log of an invocation of a Python function has all lines, also on a busy machine.

MiniStack 1.5.33: `Worker._drain_stderr_bounded` in `core/lambda_runtime.py` waits 50 ms for the
first line. It ends when no line has come for 5 ms, or after 250 ms. Later lines are in the log of
the process's next invocation, or in none. Here the process writes a line of its own at the end of
each invocation, and MiniStack reads up to it. It does not wait if a function wrote nothing.
AWS: Lambda captures the logs of all requests that a function handles.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-logs.html

To report:
    Lambda: lines are missing from the log of an invocation when the machine is busy

    What an invocation wrote last is missing from LogResult and CloudWatch Logs, or is in the log of
    another invocation. Expected: all lines of an invocation, and no others.
    To see it, create a function "f" whose handler prints 3000 lines and then "last":
        def last_line_is_missing(_):
            log = lambda_.invoke(FunctionName="f", LogType="Tail")["LogResult"]
            return b"last" not in base64.b64decode(log)
        with ThreadPoolExecutor(24) as pool:
            print(sum(pool.map(last_line_is_missing, range(150))))  # 21 here, on two cores
    Proposed change: let the worker script write a marker line to stderr after each invocation, and
    read up to it instead of waiting for fixed times.

2. A mapping from a table's stream waits for its batching window.

MiniStack 1.5.33: `services/lambda_svc.py` stores `MaximumBatchingWindowInSeconds`, but
`_poll_dynamodb_streams` does not read it, and neither do `_poll_sqs` and `_poll_kinesis`. A mapping
invokes its function at once for every write, which doubles the invocations of the pipeline. Here a
batch that is not full waits until its first record is as old as the window. Mappings from SQS and
Kinesis are as they were.
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
    record is as old as the window.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Any
from uuid import uuid4

from ministack.core import lambda_runtime
from ministack.services import dynamodb, lambda_svc

Records = list[dict[str, Any]]
Read = Callable[..., Records]

END = f"end of invocation {uuid4()}"
"""A line that no function writes, as each emulator makes its own."""

LONGEST_WAIT_SECONDS = 5.0
"""For a process that was killed between its response and its last line."""

ORIGINAL = "        _real_stdout.flush()\n\nrun()"
CORRECTED = f"        print({END!r}, file=sys.__stderr__, flush=True)\n{ORIGINAL}"


def apply() -> None:
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(ORIGINAL, CORRECTED)
    worker = lambda_runtime.Worker
    worker._drain_stderr_bounded = _to_the_end(worker._drain_stderr_bounded)
    dynamodb.stream_records_since = gathering(dynamodb.stream_records_since)


def _to_the_end(drain: Callable[..., str]) -> Callable[..., str]:
    """`drain`, up to the line that ends an invocation if the process writes one."""

    def drained(worker: Any, *arguments: Any, **named: Any) -> str:
        in_python = worker.config.get("Runtime", "python").startswith("python")
        if not in_python or worker._proc is None:
            return drain(worker, *arguments, **named)
        lines: list[str] = []
        with suppress(Empty):
            while not lines or not lines[-1].endswith(END):
                lines.append(worker._stderr_queue.get(timeout=LONGEST_WAIT_SECONDS))
        return "\n".join(lines).removesuffix(END).removesuffix("\n")

    return drained


def gathering(read: Read) -> Read:
    """`read`, which returns no records to a mapping while its window lasts."""

    def gathered(table: str, position: int, most: int, **scope: Any) -> Records:
        records = read(table, position, most, **scope)
        of_get_records = threading.current_thread() is threading.main_thread()
        if of_get_records or not records or len(records) >= most:
            return records
        age = time.time() - float(records[0]["dynamodb"]["ApproximateCreationDateTime"])
        # Below zero: the clock was set back meanwhile.
        return [] if 0 <= age < _window(table) else records

    return gathered


def _window(table: str) -> float:
    """Return the shortest window, in seconds, of the mappings from a table's stream."""
    windows = [
        mapping.get("MaximumBatchingWindowInSeconds", 0)
        for _, _, mapping in lambda_svc._iter_all_esms()
        if f":table/{table}/stream/" in mapping["EventSourceArn"]
    ]
    return min(windows, default=0)
