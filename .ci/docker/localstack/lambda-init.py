#!/usr/bin/env python3
"""Stands in for LocalStack's Lambda init, which no package registry has.

LocalStack copies this file into the container of each function and starts it there. It keeps one
process with the function, `python -m awslambdaric`, and speaks

- with LocalStack (https://github.com/localstack/lambda-runtime-init): `POST :9563/invoke` brings an
  invocation; its logs and its outcome, and how the start went, are posted to
  `LOCALSTACK_RUNTIME_ENDPOINT`;
- with the process (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): it asks for an
  invocation, and posts an answer or an error.

As on AWS, a process that ends or exceeds the time limit fails its invocation, and the next one gets
a new process. Left out: extensions, layers, X-Ray, hot reloading, the limit of memory.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, Literal

INVOKE_PORT = 9563
OUTPUT = "/var/log/function"
USER = "sbx_user1051"


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation, or of a start."""

    kind: Literal["response", "error"]
    body: bytes


Environ = Mapping[str, str]
Invocation = Mapping[str, Any]
"""What LocalStack sends to invoke the function."""


def failure(error: str, request_id: str, text: str) -> Outcome:
    message = {"errorType": error, "errorMessage": f"RequestId: {request_id} Error: {text}"}
    return Outcome("error", json.dumps(message).encode())


def of_exit(status: int, request_id: str) -> Outcome:
    """Return the outcome when the process has ended with a status of `subprocess`."""
    if status == 0:
        text = "Runtime exited without providing a reason"
    elif status > 0:
        text = f"Runtime exited with error: exit status {status}"
    else:
        name = signal.strsignal(-status) or str(-status)
        text = f"Runtime exited with error: signal: {name.lower()}"
    return failure("Runtime.ExitError", request_id, text)


class Runtime:
    """One process with the function, and the Runtime API for it alone."""

    def __init__(self, environ: Environ, output: IO[bytes]) -> None:
        self._timeout = int(environ["AWS_LAMBDA_FUNCTION_TIMEOUT"])
        self._request_id = "unknown"
        self._start_failed = False
        self._invocations: queue.Queue[Invocation | None] = queue.Queue()
        # None says that the process is ready for an invocation.
        self._outcomes: queue.Queue[Outcome | None] = queue.Queue()
        self._api = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._api.serve_forever, daemon=True).start()
        api = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_port}"}
        self._process = subprocess.Popen(  # noqa: S603 - who makes the function names its handler
            [sys.executable, "-m", "awslambdaric", environ["_HANDLER"]],
            cwd="/var/task",
            env={k: v for k, v in environ.items() if k != "HOME"} | api,
            user=USER,
            stdout=output,
            stderr=output,
        )
        threading.Thread(target=self._watch, daemon=True).start()

    def started(self) -> Outcome | None:
        """Wait until the process is ready. Return what is wrong with it, if anything."""
        return self._outcomes.get()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, invocation: Invocation) -> Outcome:
        self._request_id = invocation["invoke-id"]
        deadline = time.monotonic() + self._timeout
        self._invocations.put(invocation)
        try:
            while True:
                left = max(0.0, deadline - time.monotonic())
                if outcome := self._outcomes.get(timeout=left):
                    if self._start_failed:  # the process is about to end
                        self._stop()
                    return outcome
        except queue.Empty:
            self._stop()
            text = f"Task timed out after {self._timeout}.00 seconds"
            return failure("Sandbox.Timedout", self._request_id, text)

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _watch(self) -> None:
        status = self._process.wait()
        self._outcomes.put(of_exit(status, self._request_id))
        self._invocations.put(None)
        self._api.shutdown()
        self._api.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        runtime = self

        class RuntimeApi(Handler):
            def do_GET(self) -> None:  # /2018-06-01/runtime/invocation/next
                runtime._outcomes.put(None)
                invocation = runtime._invocations.get()
                if invocation is None:
                    self.close_connection = True
                    return
                deadline = int((time.time() + runtime._timeout) * 1000)
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": invocation["invoke-id"],
                    "Lambda-Runtime-Deadline-Ms": str(deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": invocation["invoked-function-arn"],
                    "Lambda-Runtime-Trace-Id": invocation.get("trace-id", ""),
                }
                self.answer(200, invocation["payload"].encode(), headers)

            def do_POST(self) -> None:  # …/<request id>/response or /error, or runtime/init/error
                if self.path.endswith("/init/error"):
                    runtime._start_failed = True
                if self.path.endswith("/error"):
                    runtime._outcomes.put(Outcome("error", self.body()))
                else:
                    runtime._outcomes.put(Outcome("response", self.body()))
                self.answer(202)

        return RuntimeApi


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def answer(self, status: int, body: bytes = b"{}", headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the container's log is the function's."""


class LocalStack:
    """Where the outcomes go."""

    def __init__(self, environ: Environ) -> None:
        self._endpoint = environ["LOCALSTACK_RUNTIME_ENDPOINT"]
        self._status = f"status/{environ['LOCALSTACK_RUNTIME_ID']}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ready(self) -> None:
        self._post(f"{self._status}/ready", b"{}")

    def start_failed(self, outcome: Outcome) -> None:
        self._post(f"{self._status}/error", outcome.body)

    def finished(self, invocation: Invocation, outcome: Outcome, logs: str) -> None:
        path = f"invocations/{invocation['invoke-id']}"
        self._post(f"{path}/logs", json.dumps({"logs": logs}).encode())
        self._post(f"{path}/{outcome.kind}", outcome.body)

    def _post(self, path: str, body: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 - LocalStack's own address
            f"{self._endpoint}/{path}", body, {"Content-Type": "application/json"}
        )
        self._opener.open(request, timeout=10).close()


def take(output: IO[bytes]) -> str:
    """What the function has printed since the last time; the container's log has it, too.

    A file and not a pipe: what was printed before an answer is surely there after it.
    """
    output.seek(0)
    text = output.read().decode(errors="replace")
    output.truncate(0)
    sys.stdout.write(text)
    sys.stdout.flush()
    return text


def report(environ: Environ, request_id: str, printed: str, seconds: float) -> str:
    """The log of an invocation between the lines that AWS adds."""
    ending = "" if printed.endswith("\n") or not printed else "\n"
    duration = seconds * 1000
    return (
        f"START RequestId: {request_id} Version: {environ['AWS_LAMBDA_FUNCTION_VERSION']}\n"
        f"{printed}{ending}"
        f"END RequestId: {request_id}\n"
        f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\t"
        f"Billed Duration: {math.ceil(duration)} ms\t"
        f"Memory Size: {environ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']} MB\n"
    )


def serve_invocations() -> queue.Queue[Invocation]:
    """What LocalStack sends; it sends the next only after the outcome of the last."""
    invocations: queue.Queue[Invocation] = queue.Queue()

    class Invoke(Handler):
        def do_POST(self) -> None:
            invocations.put(json.loads(self.body()))
            self.answer(200)

    server = ThreadingHTTPServer(("", INVOKE_PORT), Invoke)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return invocations


def main() -> int:
    # Nothing else ends a process that is the first of its container.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    localstack = LocalStack(os.environ)
    invocations = serve_invocations()
    with open(OUTPUT, "a+b", buffering=0) as output:
        runtime = Runtime(os.environ, output)
        if wrong := runtime.started():
            take(output)
            localstack.start_failed(wrong)
            return 1
        localstack.ready()
        while True:
            invocation = invocations.get()
            if not runtime.is_alive():
                runtime = Runtime(os.environ, output)
            began = time.monotonic()
            outcome = runtime.invoke(invocation)
            seconds = time.monotonic() - began
            logs = report(os.environ, invocation["invoke-id"], take(output), seconds)
            localstack.finished(invocation, outcome, logs)


if __name__ == "__main__":
    sys.exit(main())
