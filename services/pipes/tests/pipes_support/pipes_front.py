"""A front of the emulator that does not pass every call on, or not every answer back as it is."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_ARRIVAL = re.compile(
    rb'("(?:ApproximateArrivalTimestamp|ApproximateCreationDateTime)": ?)([0-9.]+)'
)

DROPPED = 0
"""In place of a status: the connection is closed without an answer."""


class Front:
    """`troubles` are what the next invocations end with: HTTP statuses, or AWS's error codes.

    Records of a stream arrived so many seconds earlier as `older_by` says.
    """

    def __init__(self, emulator: str) -> None:
        self.older_by = 0.0
        self.troubles: list[int | str] = []
        self._emulator = urlsplit(emulator).netloc
        self._server = self._listen(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Let connections be refused."""
        self._server.shutdown()
        self._server.server_close()

    def open(self) -> None:
        """Listen again, where it did before."""
        self._server = self._listen(self._server.server_port)

    def aged(self, content: bytes) -> bytes:
        def earlier(arrival: re.Match[bytes]) -> bytes:
            return b"%b%f" % (arrival[1], float(arrival[2]) - self.older_by)

        return _ARRIVAL.sub(earlier, content) if self.older_by else content

    def _listen(self, port: int) -> ThreadingHTTPServer:
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path.endswith("/invocations") and front.troubles:
                    self._refuse(front.troubles.pop(0))
                    return
                connection = HTTPConnection(front._emulator, timeout=60)
                connection.request(self.command, self.path, body, dict(self.headers.items()))
                answer = connection.getresponse()
                content = front.aged(answer.read())
                self._answer(answer.status, content, answer.getheader("X-Amz-Function-Error"))
                connection.close()

            def do_POST(self) -> None:
                self.do_GET()

            def _refuse(self, trouble: int | str) -> None:
                if isinstance(trouble, int):
                    self._answer(trouble, b'{"Type": "Service"}')
                else:
                    self._answer(403, json.dumps({"__type": trouble}).encode())

            def _answer(self, status: int, body: bytes, error: str | None = None) -> None:
                if status == DROPPED:
                    self.close_connection = True
                    return
                self.send_response(status)
                if error:
                    self.send_header("X-Amz-Function-Error", error)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server


@contextmanager
def front_of(emulator: str) -> Iterator[Front]:
    front = Front(emulator)
    try:
        yield front
    finally:
        front.close()
