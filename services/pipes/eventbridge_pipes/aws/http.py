"""Signed POST requests to one AWS service, over connections that stay open between requests."""

from __future__ import annotations

import hashlib
import hmac
import re
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPException
from typing import BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

from eventbridge_pipes.aws.errors import AnswerTooLargeError

MAX_ANSWER_BYTES = 32 * 1024 * 1024

REST_SECONDS = 20.0
"""A connection that was idle for longer is not used again: the server may be about to close it."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_WITHOUT_BODY = (204, 304)
_STATUS_LINE = re.compile(rb"HTTP/(1\.[01]) ([1-5]\d\d)\b")
_LONGEST_LINE = 64 * 1024
_MOST_HEADERS = 200


@dataclass(frozen=True)
class Signer:
    """Signs requests with AWS Signature Version 4.

    `service` is the service's name in signatures. `credentials` returns the current ones: they
    may expire and be replaced between two requests.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """

    region: str
    service: str
    credentials: Callable[[], ReadOnlyCredentials]

    def sign(
        self, path: str, headers: Mapping[str, str], body: bytes, now: float
    ) -> dict[str, str]:
        """Return the headers of a POST request to `path`, with the signature.

        `headers` have names in lower case, `host` among them. `path` is quoted.
        """
        credentials = self.credentials()
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        date = moment[:8]
        headers = {**headers, "x-amz-date": moment}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        names = sorted(headers)
        signed = ";".join(names)
        lines = "".join([f"{name}:{headers[name]}\n" for name in names])
        # A path is quoted once more in a signature, for all services but S3.
        quoted = quote(path, safe="/~")
        request = f"POST\n{quoted}\n\n{lines}\n{signed}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{date}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        mac = _signing_mac(credentials.secret_key, date, self.region, self.service).copy()
        mac.update(f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}".encode())
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={signed}, Signature={mac.hexdigest()}"
        )
        return headers


@lru_cache(maxsize=32)
def _signing_mac(secret: str, date: str, region: str, service: str) -> hmac.HMAC:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


class HttpAnswer(NamedTuple):
    """`headers` have their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


PendingAnswer = Callable[[float | None], HttpAnswer]
"""A request that is under way. Calling it, once, waits for the answer. Raises BotoCoreError.

It takes a read timeout, None for the client's. Raises AnswerTooLargeError for a body of more than
MAX_ANSWER_BYTES, which it does not read to the end.
"""


@dataclass(frozen=True)
class HttpClient:
    """Sends requests to the service at `url`; safe for threads.

    It opens as many connections as requests are under way at once, and keeps them. Timeouts are
    in seconds. `read_timeout` is the longest time in which the server takes or sends no byte.
    """

    url: str
    signer: Signer
    tls: ssl.SSLContext | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 15.0
    # The connection that was used last is at the right end, so that unneeded ones grow old.
    _kept: deque[tuple[float, socket.socket]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def post(
        self, headers: Mapping[str, str], body: bytes, path: str = "", repeatable: bool = False
    ) -> PendingAnswer:
        """Send a request without waiting for the answer. Raises BotoCoreError.

        `path` is quoted and follows the path of the endpoint; it begins with a slash or is empty.
        `headers` have names in lower case.

        The server may close a kept connection at any moment. If it did so before it had the whole
        request, the request is sent again on a new connection. If it had the whole request, only
        a `repeatable` one is sent again, once: the server may have processed it.
        """
        endpoint = urlsplit(self.url)
        path = f"{endpoint.path.rstrip('/')}{path}" or "/"
        headers = {"host": endpoint.netloc, **headers}
        headers = self.signer.sign(path, headers, body, time.time())
        # Names as the SDKs write them: a server that tells capitals apart expects those.
        lines = "".join([f"{name.title()}: {value}\r\n" for name, value in headers.items()])
        head = f"POST {path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        content = head.encode() + body
        with _translated(self.url, ConnectTimeoutError, EndpointConnectionError):
            connection, kept = self._send(content)
        to_repeat = content if repeatable and kept else b""

        def answer(timeout: float | None) -> HttpAnswer:
            with _translated(self.url, ReadTimeoutError, HTTPClientError):
                try:
                    return self._receive(connection, timeout)
                except ConnectionError:
                    if not to_repeat:
                        raise
                    return self._receive(self._send_over_new(to_repeat), timeout)

        return answer

    def close(self) -> None:
        """Close the connections that no request is using."""
        with self._lock:
            self._close_older_than(-1.0)

    def _send(self, content: bytes) -> tuple[socket.socket, bool]:
        """Return the connection, and whether it is a kept one."""
        if kept := self._take_kept():
            # If the server closed it after all, it has not received the whole request.
            with suppress(ConnectionError):
                return self._send_over(kept, content), True
        return self._send_over_new(content), False

    def _send_over_new(self, content: bytes) -> socket.socket:
        endpoint = urlsplit(self.url)
        host, port = endpoint.hostname or "", endpoint.port or (443 if self.tls else 80)
        connection = socket.create_connection((host, port), self.connect_timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A function may run for minutes, in which nothing is sent.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_hostname=host)
        return self._send_over(connection, content)

    def _send_over(self, connection: socket.socket, content: bytes) -> socket.socket:
        connection.settimeout(self.read_timeout)
        unsent = memoryview(content)
        try:
            # Not sendall: its timeout is for a large request as a whole.
            while unsent:
                unsent = unsent[connection.send(unsent) :]
        except BaseException:
            connection.close()
            raise
        return connection

    def _receive(self, connection: socket.socket, timeout: float | None) -> HttpAnswer:
        connection.settimeout(timeout or self.read_timeout)
        try:
            answer, reusable = _read_answer(connection)
        except BaseException:
            connection.close()
            raise
        if reusable:
            with self._lock:
                self._kept.append((time.monotonic(), connection))
        else:
            connection.close()
        return answer

    def _take_kept(self) -> socket.socket | None:
        with self._lock:
            self._close_older_than(REST_SECONDS)
            while self._kept:
                _, connection = self._kept.pop()
                if not _is_readable(connection):
                    return connection
                connection.close()
        return None

    def _close_older_than(self, seconds: float) -> None:
        oldest = time.monotonic() - seconds
        while self._kept and self._kept[0][0] < oldest:
            self._kept.popleft()[1].close()


def _read_answer(connection: socket.socket) -> tuple[HttpAnswer, bool]:
    """Return the answer, and whether the connection can carry another request.

    http.client reads a head with the email package. That takes ten times as long, and longer than
    all the rest of a small call. https://www.rfc-editor.org/rfc/rfc9112
    """
    with connection.makefile("rb") as stream:
        status = 100
        while status < 200:  # what comes before 200 only announces the answer
            version, status, headers = _read_head(stream)
        reusable = version == b"1.1" and "close" not in headers.get("connection", "").lower()
        if status in _WITHOUT_BODY:
            body = b""
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            body = _read_chunks(stream)
        elif "content-length" in headers:
            body = _read(stream, _size(headers["content-length"]))
        else:
            body = stream.read(MAX_ANSWER_BYTES + 1)
            if len(body) > MAX_ANSWER_BYTES:
                raise AnswerTooLargeError(limit=MAX_ANSWER_BYTES)
            if reusable and not body:
                raise HTTPException("the answer does not say where it ends, and has no body")
            reusable = False
        return HttpAnswer(status, headers, body), reusable


def _read_head(stream: BinaryIO) -> tuple[bytes, int, dict[str, str]]:
    """Return the version, the status and the headers; of two headers of a name, the first."""
    first = stream.readline(_LONGEST_LINE)
    if not first:
        raise ConnectionResetError("the server closed the connection without an answer")
    status = _STATUS_LINE.match(first)
    if not status:
        raise HTTPException("the answer is not HTTP")
    headers: dict[str, str] = {}
    while line := _read_line(stream):
        if len(headers) == _MOST_HEADERS:
            raise HTTPException(f"the answer has more than {_MOST_HEADERS} headers")
        name, _, value = line.decode("latin-1").partition(":")
        headers.setdefault(name.lower(), value.strip())
    return status[1], int(status[2]), headers


def _read_chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    while size := _size(_read_line(stream).partition(b";")[0], 16):
        body += _read(stream, size, len(body))
        _read_line(stream)
    while _read_line(stream):  # headers that follow the body
        pass
    return bytes(body)


def _read_line(stream: BinaryIO) -> bytes:
    line = stream.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise HTTPException("the answer is cut off, or a line of it is too long")
    return line.strip()


def _size(text: str | bytes, base: int = 10) -> int:
    with suppress(ValueError):
        if (size := int(text, base)) >= 0:
            return size
    raise HTTPException("the answer gives a length that is not a number")


def _read(stream: BinaryIO, size: int, before: int = 0) -> bytes:
    """Return the next `size` bytes of a body of which `before` are read already."""
    if size > MAX_ANSWER_BYTES - before:
        raise AnswerTooLargeError(limit=MAX_ANSWER_BYTES)
    found = stream.read(size)
    if len(found) < size:
        raise HTTPException(f"the answer is cut off: {len(found)} of {size} bytes came")
    return found


def _is_readable(connection: socket.socket) -> bool:
    """Between two requests the server sends nothing: bytes, or the end, mean that it closed."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _translated(
    url: str, timeout: type[BotoCoreError], other: type[BotoCoreError]
) -> Iterator[None]:
    """Raise botocore's errors in place of those of sockets and of answers that are not HTTP."""
    try:
        yield
    except TimeoutError as error:
        raise timeout(endpoint_url=url, error=error) from error
    except ssl.SSLError as error:
        raise SSLError(endpoint_url=url, error=error) from error
    except (OSError, HTTPException) as error:
        raise other(endpoint_url=url, error=error) from error
