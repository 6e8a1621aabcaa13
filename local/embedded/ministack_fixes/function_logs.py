"""The logs of MiniStack's functions: all that an invocation wrote, on however busy a machine.

As it comes, MiniStack waits 50 ms after an invocation for its first line, and what comes later is
in no log. Here the function's process writes a line of its own at the end of each invocation, and
MiniStack reads as far as that: nothing is lost, and nothing waited for where nothing was written.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty
from typing import Any
from uuid import uuid4

from ministack.core import lambda_runtime

END = f"end of invocation {uuid4()}"
"""No function writes it: it is another one for each emulator."""

PATIENCE_SECONDS = 5.0
"""For a process that was ended from outside between its answer and its last line."""

AS_IT_COMES = "        _real_stdout.flush()\n\nrun()"
PUT_RIGHT = f"        print({END!r}, file=sys.__stderr__, flush=True)\n{AS_IT_COMES}"

Drain = Callable[..., str]


def keep_whole_logs() -> None:
    """Put it right in the modules of this process: to be called before MiniStack serves."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(AS_IT_COMES, PUT_RIGHT)
    worker = lambda_runtime.Worker
    worker._drain_stderr_bounded = _to_the_end(worker._drain_stderr_bounded)


def _to_the_end(drain: Drain) -> Drain:
    """`drain`, of a worker whose process says where an invocation ends, as far as that."""

    def drained(worker: Any, *arguments: Any, **named: Any) -> str:
        in_python = worker.config.get("Runtime", "python").startswith("python")
        if not in_python or worker._proc is None:
            return drain(worker, *arguments, **named)
        lines = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = worker._stderr_queue.get(timeout=left)
            except Empty:
                break
            if line.endswith(END):
                lines += [unfinished] if (unfinished := line.removesuffix(END)) else []
                break
            lines.append(line)
        return "\n".join(lines)

    return drained
