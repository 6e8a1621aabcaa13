"""HTTP/1.1 over one socket: as much of it as a JSON API needs."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from typing import NamedTuple
from urllib.parse import urlsplit

LINE_BYTES = 65_536


class DroppedError(OSError):
    """The server closed the connection before it began to answer."""


class BadAnswerError(OSError):
    """What the server sent is not HTTP, or ended too early."""


@dataclass(frozen=True)
class Endpoint:
    """Where a service listens. `tls` is None for plain HTTP; timeouts are in seconds."""

    url: str
    tls: ssl.SSLContext | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 15.0

    @cached_property
    def path(self) -> str:
        return urlsplit(self.url).path or "/"

    @cached_property
    def host(self) -> str:
        """As the Host header has it: the port only when it is not the scheme's own."""
        name, port = self.address
        shown = f"[{name}]" if ":" in name else name
        return shown if port == self._default_port else f"{shown}:{port}"

    @cached_property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or self._default_port

    @property
    def _default_port(self) -> int:
        return 443 if self.tls else 80


class Answer(NamedTuple):
    """`reusable`: whether the connection can carry another request."""

    status: int
    body: bytes
    reusable: bool


class Connection:
    """One connection, one request at a time. Everything here raises OSError.

    `rested` is when it was last put aside, in monotonic seconds; None while it is new.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.rested: float | None = None
        self._socket = socket.create_connection(endpoint.address, endpoint.connect_timeout)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if endpoint.tls:
                name = endpoint.address[0]
                self._socket = endpoint.tls.wrap_socket(self._socket, server_hostname=name)
            self._incoming = self._socket.makefile("rb")
        except BaseException:
            self._socket.close()
            raise

    def send(self, request: bytes) -> None:
        self._socket.sendall(request)

    def receive(self, timeout: float) -> Answer:
        """The answer to what was sent; `timeout` is the longest silence, in seconds.

        Raises DroppedError when there is none, BadAnswerError when it is not one.
        """
        self._socket.settimeout(timeout)
        return read_answer(self._incoming)

    def close(self) -> None:
        self._incoming.close()
        self._socket.close()


def read_answer(incoming: BufferedReader) -> Answer:
    """See Connection.receive."""
    try:
        first = incoming.readline(LINE_BYTES)
    except ConnectionError as error:
        raise DroppedError(str(error)) from error
    if not first:
        raise DroppedError("the server closed the connection")
    try:
        version, code = first.split(None, 2)[:2]
        status = int(code)
        headers = _headers(incoming)
        body, framed = _body(incoming, headers)
        stays = version == b"HTTP/1.1" and headers.get(b"connection", b"").lower() != b"close"
        return Answer(status, body, framed and stays)
    except ValueError as error:
        raise BadAnswerError(f"not an HTTP answer: {error}") from error


def _headers(incoming: BufferedReader) -> dict[bytes, bytes]:
    headers = {}
    while (line := incoming.readline(LINE_BYTES)) not in (b"\r\n", b"\n"):
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadAnswerError("the headers are cut off")
        headers[name.lower()] = value.strip()
    return headers


def _body(incoming: BufferedReader, headers: dict[bytes, bytes]) -> tuple[bytes, bool]:
    """The body, and whether anything but the end of the connection marked its end."""
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return _chunks(incoming), True
    if b"content-length" in headers:
        return _exactly(incoming, int(headers[b"content-length"])), True
    return incoming.read(), False


def _chunks(incoming: BufferedReader) -> bytes:
    chunks = []
    while size := int(incoming.readline(LINE_BYTES).partition(b";")[0], 16):
        chunks.append(_exactly(incoming, size))
        incoming.readline(LINE_BYTES)
    while incoming.readline(LINE_BYTES) not in (b"\r\n", b"\n", b""):
        pass  # trailers
    return b"".join(chunks)


def _exactly(incoming: BufferedReader, size: int) -> bytes:
    body = incoming.read(size)
    if len(body) < size:
        raise BadAnswerError("the body is cut off")
    return body
