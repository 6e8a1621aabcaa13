"""Signed POST requests to one AWS service, over connections that stay open between requests."""

from __future__ import annotations

import hashlib
import hmac
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from typing import NamedTuple
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
        key = _signing_key(credentials.secret_key, date, self.region, self.service)
        signature = _hmac(key, f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}").hex()
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}"
        )
        return headers


@lru_cache(maxsize=32)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


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
    """Return the answer, and whether the connection can carry another request."""
    with closing(HTTPResponse(connection, method="POST")) as response:
        response.begin()
        headers = {name.lower(): value for name, value in response.headers.items()}
        if "content-length" in headers and response.length is None and not response.chunked:
            raise HTTPException("the Content-Length is not a number")
        if (response.length or 0) > MAX_ANSWER_BYTES:
            raise AnswerTooLargeError(limit=MAX_ANSWER_BYTES)
        # With a number, `read` would not notice that the body is shorter than its Content-Length.
        body = response.read(MAX_ANSWER_BYTES + 1) if response.length is None else response.read()
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLargeError(limit=MAX_ANSWER_BYTES)
        if not body:
            check_head(response.status, headers)
        return HttpAnswer(response.status, headers, body), not response.will_close


def check_head(status: int, headers: Mapping[str, str]) -> None:
    """Raise HTTPClientError if the head of an answer is cut off; header names are in lower case.

    Python's HTTP client accepts a head that ends where the connection does. What is left may look
    like a success without content, which for a function or a queue means that no record failed. An
    answer that does not say where its body ends, by its length, in chunks or with the connection,
    has lost the line that did.
    https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    """
    framed = headers.get("content-length") or headers.get("transfer-encoding")
    closing = "close" in headers.get("connection", "").lower()
    if not framed and not closing and status not in _WITHOUT_BODY:
        raise HTTPClientError(error="the head of the answer is cut off")


def _is_readable(connection: socket.socket) -> bool:
    """Between two requests the server sends nothing: bytes, or the end, mean that it closed."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _translated(
    url: str, timeout: type[BotoCoreError], other: type[BotoCoreError]
) -> Iterator[None]:
    """Raise botocore's errors in place of those of sockets and of http.client."""
    try:
        yield
    except TimeoutError as error:
        raise timeout(endpoint_url=url, error=error) from error
    except ssl.SSLError as error:
        raise SSLError(endpoint_url=url, error=error) from error
    except (OSError, HTTPException) as error:
        raise other(endpoint_url=url, error=error) from error
