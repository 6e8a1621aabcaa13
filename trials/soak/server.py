"""The HTTP server behind which a front answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from soak.answers import Answer, Request
from soak.front import Front

_SERVICES = {
    "Kinesis_20131202": "kinesis",
    "AmazonSQS": "sqs",
    "GraniteServiceVersion20100801": "cloudwatch",
}


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            # What a killed service has left in a connection is still its own.
            self.life = front.life

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            answer = front.answer(Request(*self._asked(), body, self.life))
            whole = _bytes(answer)
            self.wfile.write(whole[: int(len(whole) * answer.written)])
            if answer.written < 1:
                self.close_connection = True
            else:
                answer.given()

        do_GET = do_POST  # noqa: N815

        def _asked(self) -> tuple[str, str]:
            target = self.headers.get("X-Amz-Target")
            if target:
                prefix, _, operation = target.partition(".")
                return _SERVICES.get(prefix, prefix), operation
            invoked = unquote(self.path).endswith("/invocations")
            return "lambda", "Invoke" if invoked else "GetFunctionConfiguration"

        def log_message(self, *_: Any) -> None:
            """Nothing: it would be a line for each call."""

    return Handler


def _bytes(answer: Answer) -> bytes:
    """Head and body."""
    content = json.dumps(answer.content).encode()
    headers = {
        **answer.headers,
        "Content-Type": "application/x-amz-json-1.1",
        "Content-Length": len(content),
    }
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {answer.status} -", *lines, "", ""]).encode() + content


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A killed service drops its connections."""


@contextmanager
def served(front: Front) -> Iterator[str]:
    """The URL at which `front` answers."""
    with _Server(("127.0.0.1", 0), _handler(front)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
