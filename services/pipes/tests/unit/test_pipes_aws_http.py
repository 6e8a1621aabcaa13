"""Signatures like botocore's, and what is sent again when a connection ends."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ConnectTimeoutError, HTTPClientError, ReadTimeoutError

from eventbridge_pipes.aws import http
from eventbridge_pipes.aws.errors import AnswerTooLargeError
from eventbridge_pipes.aws.http import HttpClient, Signer
from raw_server import RawServer, answer, raw_server, read_request
from waiting import eventually

NOW = 1_794_787_200.0
ARN = "arn%3Aaws%3Alambda%3Aeu-central-1%3A000000000000%3Afunction%3Aorders%3Alive"
MESSAGE = b'{"message": 1}'


def signer(token: str | None = None, service: str = "kinesis") -> Signer:
    return Signer("eu-central-1", service, lambda: ReadOnlyCredentials("key", "secret", token))


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server() as server:
        yield server


@pytest.fixture
def client(server: RawServer) -> Iterator[HttpClient]:
    with closing(HttpClient(server.url, signer())) as client:
        yield client


def send(client: HttpClient, repeatable: bool = False) -> http.HttpAnswer:
    return client.post({}, MESSAGE, repeatable=repeatable)(None)


@pytest.mark.parametrize("token", [None, "a/token+of=several//parts"])
@pytest.mark.parametrize(
    ("service", "path", "headers", "body"),
    [
        (
            "kinesis",
            "/",
            {"x-amz-target": "Kinesis_20131202.GetRecords", "content-type": "application/json"},
            b'{"Limit":1}',
        ),
        (
            "lambda",
            f"/2015-03-31/functions/{ARN}/invocations",
            {"x-amz-invocation-type": "Event", "content-type": "application/json"},
            b"",
        ),
        ("sqs", "/below/~it", {}, "ü".encode()),
    ],
)
def test_a_signature_is_botocores(
    monkeypatch: pytest.MonkeyPatch,
    token: str | None,
    service: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    moment = datetime.fromtimestamp(NOW, UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    by_botocore: Any = AWSRequest("POST", f"http://localhost:4566{path}", dict(headers), body)
    credentials: Any = ReadOnlyCredentials("key", "secret", token)
    SigV4Auth(credentials, service, "eu-central-1").add_auth(by_botocore)
    given = {"host": "localhost:4566", **headers}
    ours = signer(token, service).sign(path, given, body, NOW)
    expected = {name.lower(): value for name, value in by_botocore.headers.items()}
    assert ours == {"host": "localhost:4566", **expected}


def test_the_key_of_a_signature_changes_with_day_region_service_and_secret() -> None:
    def signature(region: str, service: str, secret: str, now: float) -> str:
        made = Signer(region, service, lambda: ReadOnlyCredentials("key", secret, None))
        return made.sign("/", {"host": "h"}, b"", now)["authorization"].partition("Signature=")[2]

    usual = ("eu-west-1", "sqs", "secret", NOW)
    others: list[tuple[str, str, str, float]] = [
        ("eu-west-2", "sqs", "secret", NOW),
        ("eu-west-1", "sns", "secret", NOW),
        ("eu-west-1", "sqs", "other", NOW),
        ("eu-west-1", "sqs", "secret", NOW + 86_400),
    ]
    assert signature(*usual) == signature(*usual)
    assert len({signature(*each) for each in [usual, *others]}) == 5


def test_each_request_has_the_credentials_of_its_moment() -> None:
    issued = iter([ReadOnlyCredentials("old", "s", "t"), ReadOnlyCredentials("new", "s", None)])
    used = Signer("eu-west-1", "sqs", lambda: next(issued))
    first, second = (used.sign("/", {"host": "h"}, b"", NOW) for _ in range(2))
    assert "Credential=old/" in first["authorization"]
    assert first["x-amz-security-token"] == "t"
    assert "Credential=new/" in second["authorization"]
    assert "x-amz-security-token" not in second


def test_a_request_that_the_server_may_have_processed_is_not_sent_again(
    server: RawServer, client: HttpClient
) -> None:
    server.answers += [answer(), None, answer()]
    send(client)
    with pytest.raises(HTTPClientError):
        send(client)
    assert len(server.requests) == 2


def test_a_repeatable_request_is_sent_once_more_on_a_new_connection(
    server: RawServer, client: HttpClient
) -> None:
    server.answers += [answer(), None, answer({"a": 1})]
    send(client)
    assert send(client, repeatable=True).body == b'{"a": 1}'
    assert (len(server.requests), server.connections) == (3, 2)
    server.answers += [None, None, answer()]
    with pytest.raises(HTTPClientError):
        send(client, repeatable=True)
    assert len(server.requests) == 5


def test_connections_that_the_server_closed_are_not_used(
    server: RawServer, client: HttpClient
) -> None:
    server.answers += [answer()] * 4
    pending = [client.post({}, MESSAGE) for _ in range(3)]
    for request in pending:
        request(None)
    server.drop_connections()
    assert send(client).status == 200
    assert (len(server.requests), server.connections) == (4, 4)


def test_a_request_that_cannot_be_sent_whole_is_sent_on_a_new_connection(
    server: RawServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server closes just after the client has looked."""
    server.answers += [answer()] * 2
    send(client)
    server.drop_connections()
    monkeypatch.setattr(http, "_is_readable", lambda connection: False)
    client._kept[0][1].shutdown(socket.SHUT_WR)
    assert send(client).status == 200
    assert (len(server.requests), server.connections) == (2, 2)


def test_a_connection_that_was_idle_for_long_is_closed(
    server: RawServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers += [answer()] * 2
    send(client)
    kept = client._kept[0][1]
    monkeypatch.setattr(http, "REST_SECONDS", 0.01)
    time.sleep(0.02)
    send(client)
    assert server.connections == 2
    assert kept.fileno() == -1


def test_a_large_body_may_take_longer_than_connecting() -> None:
    """The server pauses longer than the time to connect before it reads on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        # Inherited by accepted connections: little fits into the buffers.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def serve() -> None:
            accepted, _ = listener.accept()
            with accepted, accepted.makefile("rb") as incoming:
                time.sleep(0.5)
                read_request(incoming)
                accepted.sendall(answer())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        body = b'"' + b"x" * 16_000_000 + b'"'
        with closing(HttpClient(url, signer(), connect_timeout=0.1, read_timeout=5)) as client:
            assert client.post({}, body)(None).status == 200
        thread.join(5)


def test_a_server_that_takes_no_byte_in_time_is_no_silence_after_a_request() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = HttpClient(url, signer(), read_timeout=0.1)
        with pytest.raises(ConnectTimeoutError):
            client.post({}, b"x" * 16_000_000)


def test_a_late_answer_is_a_timeout_and_its_connection_is_closed(
    server: RawServer, client: HttpClient
) -> None:
    server.answers += [b"", answer()]
    with pytest.raises(ReadTimeoutError):
        client.post({}, MESSAGE, repeatable=True)(0.05)
    assert send(client).status == 200
    assert (len(server.requests), server.connections) == (2, 2)


def chunked(count: int) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (count, b"x" * count)


def whole(count: int) -> bytes:
    return answer(body=b"x" * count)


def until_the_end(count: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * count


@pytest.mark.parametrize("sent", [chunked, whole, until_the_end])
def test_the_body_of_an_answer_has_a_bound(
    server: RawServer,
    client: HttpClient,
    monkeypatch: pytest.MonkeyPatch,
    sent: Callable[[int], bytes],
) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1000)
    server.answers += [sent(1000), sent(1001), answer()]
    pending = client.post({}, MESSAGE)
    eventually(lambda: server.requests)
    if sent is until_the_end:
        server.drop_connections()
    assert len(pending(None).body) == 1000
    with pytest.raises(AnswerTooLargeError):
        send(client)
    assert send(client).status == 200
    assert len(server.requests) == 3


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nTrailer: x\r\n\r\n", b"{}"),
        (HEAD + b"content-LENGTH:2\r\nEmpty:\r\n\r\n{}", b"{}"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b""),
    ],
    ids=["chunks", "capitals", "two lengths", "an announcement", "no content"],
)
def test_an_answer_is_read_as_http_says_and_the_connection_is_kept(
    server: RawServer, client: HttpClient, sent: bytes, body: bytes
) -> None:
    server.answers += [sent, answer()]
    assert send(client).body == body
    assert send(client).status == 200
    assert server.connections == 1


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        (b"-ERR unknown command 'POST'\r\n", "is not HTTP"),
        (b"HTTP/1.1 two OK\r\n\r\n", "is not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "is not HTTP"),
        (HEAD + b"Content-Length: -5\r\n\r\n{}", "not a number"),
        (HEAD + b"Content-Length: many\r\n\r\n{}", "not a number"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n", "not a number"),
        (HEAD + b"A: b\r\n" * 2 + b"".join(b"N%d: x\r\n" % n for n in range(300)), "headers"),
        (HEAD + b"A: " + b"x" * 70_000, "too long"),
    ],
    ids=["words", "status", "version", "minus", "text", "chunk", "many headers", "long line"],
)
def test_what_is_not_http_is_said_at_once_though_the_connection_stays_open(
    server: RawServer, client: HttpClient, sent: bytes, wrong: str
) -> None:
    server.answers += [sent]
    with pytest.raises(HTTPClientError, match=wrong) as raised:
        send(client)
    assert not isinstance(raised.value, ReadTimeoutError | AnswerTooLargeError)


def test_an_answer_without_a_length_and_without_a_body_is_no_success(
    server: RawServer, client: HttpClient
) -> None:
    server.answers += [HEAD + b"\r\n"]
    pending = client.post({}, MESSAGE)
    eventually(lambda: server.requests)
    server.drop_connections()
    with pytest.raises(HTTPClientError, match="does not say where it ends"):
        pending(None)
