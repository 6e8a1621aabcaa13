"""The log of an invocation of a Python function has all lines, also on a busy machine.

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
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Any
from uuid import uuid4

from ministack.core import lambda_runtime

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
