"""HTTP/1.1 over one socket, a request at a time."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

CHUNK_BYTES = 64 * 1024


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
    """`headers` by their names in small letters; `reusable`: whether the connection can carry
    another request."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reusable: bool


class Connection:
    """One connection, one request at a time. Everything here raises OSError.

    `rested` is when it was last put aside, in monotonic seconds; None while it is new.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.rested: float | None = None
        self._buffer = memoryview(bytearray(CHUNK_BYTES))
        self._socket = socket.create_connection(endpoint.address, endpoint.connect_timeout)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # A function may think for minutes, in which nothing is sent.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if endpoint.tls:
                name = endpoint.address[0]
                self._socket = endpoint.tls.wrap_socket(self._socket, server_hostname=name)
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
        reading = _Reading()
        try:
            received = self._received()
        except ConnectionError as error:
            raise DroppedError(str(error)) from error
        if not received:
            raise DroppedError("the server closed the connection")
        while received and not reading.take(received):
            received = self._received()
        return reading.answer()

    def _received(self) -> memoryview:
        """What has come, empty at the end of the connection; good until it is called again.

        To take each piece into a new buffer, most of which is not needed, tears memory to pieces.
        """
        return self._buffer[: self._socket.recv_into(self._buffer)]

    def close(self) -> None:
        self._socket.close()


class _Reading:
    """Gathers an answer from what the parser finds in it."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._framed = False
        self._in_body = False
        self._complete = False
        self._reusable = False

    def take(self, received: memoryview) -> bool:
        """Whether the answer is complete with what was received. Raises BadAnswerError."""
        try:
            self._parser.feed_data(received)
        except HttpParserError as error:
            raise BadAnswerError(f"not an HTTP answer: {error}") from error
        return self._complete

    def answer(self) -> Answer:
        """The answer, once it is complete or the connection has ended. Raises BadAnswerError."""
        ends_with_connection = self._in_body and not self._framed
        if not (self._complete or ends_with_connection):
            raise BadAnswerError("the answer is cut off")
        status, body = self._parser.get_status_code(), b"".join(self._chunks)
        return Answer(status, self._headers, body, self._reusable)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        header = name.lower().decode("latin-1")
        self._headers[header] = value.decode("latin-1")
        if header in ("content-length", "transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        self._complete = True
        # Once this has returned, the parser is about the next answer.
        self._reusable = self._parser.should_keep_alive()
