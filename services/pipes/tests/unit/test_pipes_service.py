"""The limits of the API's server, which protect it from clients that never end their requests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from eventbridge_pipes.service import BoundedProtocol
from waiting import eventually

HEADERS = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"


class Hasty(BoundedProtocol):
    request_seconds = 0.5


class Small(BoundedProtocol):
    most_connections = 3


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def early(_: Request) -> Response:
    """Answers before the whole request is there."""
    return PlainTextResponse("early")


@contextmanager
def serving(protocol: type[BoundedProtocol]) -> Iterator[int]:
    """The port of a server."""
    app = Starlette(
        routes=[Route("/", echo, methods=["POST"]), Route("/early", early, methods=["POST"])]
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=protocol, loop="asyncio", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert eventually(lambda: server.started)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture
def port() -> Iterator[int]:
    with serving(Hasty) as port:
        yield port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=3)


def answered(client: socket.socket) -> bool:
    client.sendall(HEADERS + b"1234567890")
    return received(client)


def received(client: socket.socket) -> bool:
    """Whether the answer has the body that was sent."""
    answer = b""
    while b"1234567890" not in answer:
        part = client.recv(4096)
        if not part:
            return False
        answer += part
    return True


def is_closed(client: socket.socket) -> bool:
    """Whether the server closes the connection within 3 seconds; what it answers is read."""
    try:
        while client.recv(4096):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"POST / HT",
        HEADERS[:-2],
        HEADERS + b"12345",
        HEADERS.replace(b" / ", b" /early ") + b"12345",
        HEADERS + b"1234567890" + HEADERS + b"12345",  # a second request on the same connection
    ],
)
def test_a_connection_whose_request_never_ends_is_closed(port: int, part: bytes) -> None:
    with connect(port) as client:
        client.sendall(part)
        assert is_closed(client)


def test_it_does_not_help_to_send_slowly(port: int) -> None:
    with connect(port) as client:
        closed = threading.Event()

        def send() -> None:
            with suppress(ConnectionError):
                while not closed.wait(0.05):
                    client.send(b"P")

        sending = threading.Thread(target=send)
        sending.start()
        assert is_closed(client)
        closed.set()
        sending.join()


def test_a_request_that_comes_in_parts_in_time_is_answered(port: int) -> None:
    with connect(port) as client:
        for part in (HEADERS[:20], HEADERS[20:], b"12345", b"67890"):
            client.sendall(part)
            time.sleep(0.03)
        assert received(client)


def test_each_request_of_a_connection_has_its_own_time(port: int) -> None:
    with connect(port) as client:
        for _ in range(4):
            assert answered(client)
            time.sleep(0.2)


def test_connections_beyond_the_limit_are_closed_and_later_ones_are_accepted() -> None:
    with serving(Small) as port:
        kept = [connect(port) for _ in range(3)]
        assert all(map(answered, kept))
        with connect(port) as client:
            assert is_closed(client)
        for client in kept:
            client.close()

        def accepted() -> bool:
            with connect(port) as client, suppress(ConnectionError):
                return answered(client)
            return False

        assert eventually(accepted)
