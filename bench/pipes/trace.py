"""Count the code that one record passes: `python -m bench.pipes.trace`.

The service runs in this process, with a stream and a queue on 127.0.0.1. A pipe with a filter and
an input template moves one record from the stream to the queue. The count begins when the record
arrives in the answer to GetRecords, and ends when its checkpoint is stored. It follows the thread
that gets the record until it waits, and every other thread that works in between. The function
that waited for the answer counts too, once it calls or returns.
"""

from __future__ import annotations

import _queue
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import psutil

from bench.figures import row, section, until
from bench.pipes.fake import PATTERN, PIPE, QUEUE, STREAM, TEMPLATE, FakeAws
from bench.pipes.servers import Servers
from bench.pipes.streams import data
from embedded import pipes
from embedded.environment import isolated, variables
from embedded.ports import free_port
from eventbridge_pipes.__main__ import main as serve

PACKAGE = "eventbridge_pipes"
INLINE = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
"""Part of the function around them, to a reader."""
TIMEOUT = 30.0


class Step(NamedTuple):
    """A function is called or returns, or the thread waits, receives or stores something.

    `caller` is the function of the package that made the call, None for a return.
    """

    thread: int
    what: str
    function: CodeType | None = None
    caller: CodeType | None = None


class Tracer:
    """Collects the steps of all threads, from the answer with the record to its checkpoint."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.stored = threading.Event()
        self._recording = False
        self._sent = False
        spec = find_spec(PACKAGE)
        assert spec
        assert spec.submodule_search_locations
        self._folder = spec.submodule_search_locations[0]

    def watch(self, operation: str, records: int) -> None:
        """See `fake.Watch`."""
        if operation == "GetRecords" and records:
            self._recording = True
        self._sent |= operation == "SendMessageBatch"

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if not self._recording:
            return
        thread = threading.get_ident()
        if event in ("call", "return"):
            code = frame.f_code
            if code is threading.Condition.wait.__code__ and event == "call":
                self.steps.append(Step(thread, "wait"))
            elif self._is_ours(code):
                caller = self._caller(frame) if event == "call" else None
                self.steps.append(Step(thread, event, code, caller))
        elif event == "c_call" and _waits(argument):
            self.steps.append(Step(thread, "wait"))
        elif event == "c_return":
            if argument.__name__ in ("recv", "recv_into") and self._caller(frame):
                self.steps.append(Step(thread, "received"))
            elif self._sent and isinstance(_owner(argument), sqlite3.Connection):
                self.steps.append(Step(thread, "stored"))
                self._recording = False
                self.stored.set()

    def _is_ours(self, code: CodeType) -> bool:
        return code.co_filename.startswith(self._folder) and code.co_name not in INLINE

    def _caller(self, frame: FrameType) -> CodeType | None:
        """The next function of the package up the stack."""
        above = frame.f_back
        while above and not self._is_ours(above.f_code):
            above = above.f_back
        return above.f_code if above else None


def _waits(function: Any) -> bool:
    return function is time.sleep or (
        function.__name__ == "get" and isinstance(_owner(function), _queue.SimpleQueue)
    )


def _owner(function: Any) -> Any:
    """What a built-in method is called on."""
    return getattr(function, "__self__", None)


def way(steps: Sequence[Step]) -> list[Step]:
    """The steps of the record; the module's docstring says which these are."""
    arrived = next(number for number, step in enumerate(steps) if step.what == "received")
    reader = steps[arrived].thread
    followed: list[Step] = []
    later: list[Step] = []
    waited = False
    for step in steps[arrived:]:
        if step.thread == reader and step.what == "wait":
            waited = True
            later.clear()
        elif step.thread == reader and waited:
            later.append(step)
        else:
            followed.append(step)
    # Unless the reader waited for the target, what came later are reads of nothing.
    return followed + later if steps[-1].thread == reader else followed


def trace() -> list[Step]:
    """The steps of the first record of a pipe."""
    tracer = Tracer()
    with FakeAws(tracer.watch) as aws, tempfile.TemporaryDirectory(prefix="bench-pipes-") as name:
        port = free_port()
        environment = isolated(os.environ, variables(aws.url, pipes.url(port)))
        os.environ.clear()
        os.environ.update(environment)
        state = ["--state", f"{name}/state", "--metrics-interval", "0", "--log-level", "warning"]
        sys.argv = [PACKAGE, "--port", str(port), *state]

        def drive() -> None:
            try:
                until(lambda: pipes.ready(port), TIMEOUT)
                process = psutil.Process()
                servers = Servers(Path(name), process, process, aws.url, pipes.url(port))
                servers.create_pipe(PIPE, STREAM, QUEUE, 1, pattern=PATTERN, template=TEMPLATE)
                servers.wait_for_pipe(PIPE, "RUNNING")
                aws.put(data(0))
                assert tracer.stored.wait(TIMEOUT), "the record did not arrive"
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=drive).start()
        threading.setprofile(tracer.profile)
        serve()
    return way(tracer.steps)


def main() -> None:
    steps = trace()
    functions = dict.fromkeys(step.function for step in steps if step.function)
    by_file = Counter(function.co_filename for function in functions)
    changes = sum(
        step.function.co_filename != step.caller.co_filename
        for step in steps
        if step.function and step.caller
    )
    section("The way of one record, from its arrival to its checkpoint")
    for file, count in by_file.items():
        row(file.partition(f"{PACKAGE}/")[2], f"{count}")
    section("In all")
    row("files", f"{len(by_file)}")
    row("functions", f"{len(functions)}")
    row("calls from one file into another", f"{changes}")


if __name__ == "__main__":
    main()
