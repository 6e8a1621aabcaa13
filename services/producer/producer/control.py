"""The pace of a running producer, and the HTTP endpoint that changes it. Off unless asked for.

GET answers {"rate": 20.0, "paused": false}; PUT with one or both of these sets them. A rate of null
is the natural pace. Whoever reaches the port by its own name may do so; a web page may not: its
requests say that they are a page's, or name a host that is not this one (DNS rebinding).
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FASTEST = 1_000_000
MOST_BYTES = 10_000


class Pace:
    """How fast events are taken. Another thread may change it, and `on_change` is called then."""

    def __init__(
        self,
        rate: float | None,
        gaps: Callable[[float | None], Iterator[float]],
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        self.rate = rate
        self.paused = False
        self._gaps = gaps
        self._rate_of_last_gap = rate
        self._on_change = on_change

    @property
    def has_new_rate(self) -> bool:
        """Whether the latest of `gaps` is of another rate."""
        return self.rate != self._rate_of_last_gap

    def gaps(self) -> Iterator[float]:
        """Endless gaps between two events, in seconds."""
        while True:
            rate = self._rate_of_last_gap = self.rate
            for gap in self._gaps(rate):
                yield gap
                if self.rate != rate:
                    break

    def change(self, wanted: Any) -> None:
        """Raises ValueError, which says what is wrong. Then nothing changes."""
        if not isinstance(wanted, dict) or not wanted or wanted.keys() - {"rate", "paused"}:
            raise ValueError('the body must be a JSON object with "rate", "paused" or both')
        rate, paused = wanted.get("rate", self.rate), wanted.get("paused", self.paused)
        is_number = isinstance(rate, int | float) and not isinstance(rate, bool)
        if rate is not None and not (is_number and math.isfinite(rate) and 0 < rate <= FASTEST):
            raise ValueError(f"rate must be a number above 0 and at most {FASTEST}, or null")
        if not isinstance(paused, bool):
            raise ValueError("paused must be true or false")
        self.rate, self.paused = rate, paused
        self._on_change()


def serve(pace: Pace, host: str, port: int) -> ThreadingHTTPServer:
    """The endpoint, answering in threads of its own. Raises OSError when it cannot listen."""
    names = {"localhost", "127.0.0.1", "[::1]", host.lower()}
    handler = type("Handler", (_Handler,), {"pace": pace, "names": names})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()
    return server


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
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self._answer(400, {"error": f"Content-Length must be a number up to {MOST_BYTES}"})
            return
        try:
            wanted = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            self._answer(400, {"error": "the body is not JSON"})
            return
        try:
            self.pace.change(wanted)
        except ValueError as error:
            self._answer(400, {"error": str(error)})
        else:
            self._answer(200, {"rate": self.pace.rate, "paused": self.pace.paused})

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
