"""The proxy: an HTTP server that the parts take for AWS, and that passes their calls on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from faults.exchange import CUT, Answer, Request, recognised
from faults.plan import Plan

_OF_THE_CONNECTION = {"connection", "content-length", "expect", "keep-alive", "transfer-encoding"}
_LONGEST_CALL = 320


@dataclass
class Proxy:
    """Listens at `url`, stands before `upstream` (a URL), and does to calls what `plan` has."""

    url: str
    upstream: str
    plan: Plan = field(default_factory=Plan)


@contextmanager
def standing_before(upstream: str) -> Iterator[Proxy]:
    """A proxy on a port of its own, as long as the context lasts."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = Proxy(f"http://127.0.0.1:{server.server_port}", upstream)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.proxy
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    proxy: Proxy

    def handle_error(self, *_: object) -> None:
        """Whoever is killed drops its connections."""


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client, and one to the emulator for it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._onward = HTTPConnection(
            urlsplit(self.server.proxy.upstream).netloc, timeout=_LONGEST_CALL
        )

    def finish(self) -> None:
        self._onward.close()
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = recognised(self.command, self.path, dict(self.headers), body)
        effect = self.server.proxy.plan.effect(request)
        self._give(effect(request, self._forward) if effect else self._forward(request))

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815

    def _forward(self, request: Request) -> Answer:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _OF_THE_CONNECTION}
        try:
            self._onward.request(request.method, request.path, request.body, headers)
            answer = self._onward.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        except (OSError, HTTPException):
            # The emulator is not there: whoever asks is to see what a lost connection looks like.
            self._onward.close()
            return CUT

    def _give(self, answer: Answer) -> None:
        whole = _bytes(answer)
        self.wfile.write(whole[: int(len(whole) * answer.written)])
        self.close_connection |= answer.written < 1

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: it would be a line for each call."""


def _bytes(answer: Answer) -> bytes:
    """Head and body."""
    kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in _OF_THE_CONNECTION]
    lines = [f"{name}: {value}" for name, value in [*kept, ("Content-Length", len(answer.body))]]
    return "\r\n".join([f"HTTP/1.1 {answer.status} -", *lines, "", ""]).encode() + answer.body
