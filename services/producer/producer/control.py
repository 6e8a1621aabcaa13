"""The HTTP endpoint that changes the pace of a running producer. Off unless asked for.

GET answers {"rate": 20.0, "paused": false}; PUT with one or both of these sets them. A rate of null
is the natural pace. Whoever reaches the port by its own name may do so; a web page may not: its
requests say that they are a page's, or name a host that is not this one (DNS rebinding).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from inventory.json_text import strict_json
from inventory_aws.shown import shown
from producer.pace import MOST_PER_SECOND, Pace
from producer.usage import RefusedError

MOST_BYTES = 10_000


@contextmanager
def serve(pace: Pace, host: str, port: int) -> Iterator[ThreadingHTTPServer]:
    """Answer requests in threads of its own. Raises RefusedError when it cannot listen."""
    names = {"localhost", "127.0.0.1", "[::1]", host.lower()}
    handler = type("Handler", (_Handler,), {"pace": pace, "names": names})
    try:
        server = ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        reason = error.strerror or error
        address = shown(f"{host}:{port}")
        raise RefusedError(f"Cannot listen on {address} (--control): {reason}") from error
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def change(pace: Pace, wanted: Any) -> None:
    """Set the `wanted` rate, pause or both. Raises ValueError with the reason if it is invalid."""
    if not isinstance(wanted, dict) or not wanted or wanted.keys() - {"rate", "paused"}:
        raise ValueError('the body must be a JSON object with "rate", "paused" or both')
    rate, paused = wanted.get("rate", pace.rate), wanted.get("paused", pace.paused)
    is_number = isinstance(rate, int | float) and not isinstance(rate, bool)
    if rate is not None and not (is_number and 0 < rate <= MOST_PER_SECOND):
        raise ValueError(f"rate must be a number above 0 and at most {MOST_PER_SECOND}, or null")
    if not isinstance(paused, bool):
        raise ValueError("paused must be true or false")
    pace.set(rate, paused)


class _Handler(BaseHTTPRequestHandler):
    pace: Pace
    names: set[str]
    timeout = 5

    def do_GET(self) -> None:
        if self._is_allowed():
            self._answer(200, {"rate": self.pace.rate, "paused": self.pace.paused})

    def do_PUT(self) -> None:
        if not self._is_allowed():
            return
        length = self.headers.get("Content-Length", "")
        try:
            if not length.isdecimal() or int(length) > MOST_BYTES:
                raise ValueError(f"Content-Length must be a number up to {MOST_BYTES}")
            change(self.pace, strict_json(self.rfile.read(int(length))))
        except ValueError as error:
            self._answer(400, {"error": str(error)})
        else:
            self.do_GET()

    def _is_allowed(self) -> bool:
        named = re.sub(":[0-9]+$", "", self.headers.get("Host", "")).lower()
        if named not in self.names:
            self._answer(403, {"error": f"the host name {named!r} is not allowed"})
        elif "Origin" in self.headers or "Sec-Fetch-Site" in self.headers:
            self._answer(403, {"error": "web pages may not use this"})
        else:
            return True
        return False

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """The output of the producer is its events."""
