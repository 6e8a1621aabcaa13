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
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

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


class Tracer:
    """Counts from the answer with the record to its checkpoint."""

    def __init__(self) -> None:
        self.functions: dict[CodeType, None] = {}
        self.changes_of_file = 0
        self.stored = threading.Event()
        self._arrived = self._sent = False
        self._reader = 0
        self._reader_waits = False
        spec = find_spec(PACKAGE)
        assert spec
        assert spec.submodule_search_locations
        self._folder = spec.submodule_search_locations[0]

    def watch(self, operation: str, records: int) -> None:
        """See `fake.Watch`."""
        self._arrived |= operation == "GetRecords" and records > 0
        self._sent |= operation == "SendMessageBatch"

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if not self._arrived or self.stored.is_set():
            return
        thread, code = threading.get_ident(), frame.f_code
        if not self._reader:
            name = getattr(argument, "__name__", "")
            if event == "c_return" and name in ("recv", "recv_into") and self._caller(frame):
                self._reader = thread
            return
        if thread == self._reader and (_waits(event, code, argument) or self._reader_waits):
            self._reader_waits = True  # what it does later are reads of nothing
        elif event in ("call", "return") and self._is_ours(code):
            self.functions[code] = None
            caller = self._caller(frame) if event == "call" else None
            self.changes_of_file += bool(caller and caller.co_filename != code.co_filename)
        elif (
            event == "c_return" and self._sent and isinstance(_owner(argument), sqlite3.Connection)
        ):
            self.stored.set()

    def _is_ours(self, code: CodeType) -> bool:
        return code.co_filename.startswith(self._folder) and code.co_name not in INLINE

    def _caller(self, frame: FrameType) -> CodeType | None:
        """The next function of the package up the stack."""
        above = frame.f_back
        while above and not self._is_ours(above.f_code):
            above = above.f_back
        return above.f_code if above else None


def _waits(event: str, code: CodeType, function: Any) -> bool:
    if event == "call":
        return code is threading.Condition.wait.__code__
    return event == "c_call" and (
        function is time.sleep
        or (function.__name__ == "get" and isinstance(_owner(function), _queue.SimpleQueue))
    )


def _owner(function: Any) -> Any:
    """What a built-in method is called on."""
    return getattr(function, "__self__", None)


def trace() -> Tracer:
    """Trace the first record of a pipe."""
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
    return tracer


def main() -> None:
    tracer = trace()
    by_file = Counter(function.co_filename for function in tracer.functions)
    section("The way of one record, from its arrival to its checkpoint")
    for file, count in by_file.items():
        row(file.partition(f"{PACKAGE}/")[2], f"{count}")
    section("In all")
    row("files", f"{len(by_file)}")
    row("functions", f"{len(tracer.functions)}")
    row("calls from one file into another", f"{tracer.changes_of_file}")


if __name__ == "__main__":
    main()
