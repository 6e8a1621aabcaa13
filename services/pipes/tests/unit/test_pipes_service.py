"""The server of the API, which limits what a client may hold, and the memory of its process."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
import textwrap
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


# Memory, in processes of their own

THREADS = textwrap.dedent(
    """
    import ctypes, threading

    barrier = threading.Barrier(9)

    def allocate():
        kept = ctypes.create_string_buffer(100_000)
        barrier.wait()
        barrier.wait()

    threads = [threading.Thread(target=allocate) for _ in range(8)]
    for thread in threads:
        thread.start()
    barrier.wait()
    libc = ctypes.CDLL(None)
    libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
    libc.fflush(None)
    barrier.wait()
    """
)
LARGE = textwrap.dedent(
    """
    import ctypes

    class Mallinfo2(ctypes.Structure):
        _fields_ = [(f"field_{n}", ctypes.c_size_t) for n in range(10)]

        @property
        def pieces_of_their_own(self):
            return self.field_3

    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = Mallinfo2
    ctypes.create_string_buffer(1024 * 1024)  # comes and goes, which glibc takes note of
    before = libc.mallinfo2().pieces_of_their_own
    kept = ctypes.create_string_buffer(1024 * 1024)
    print(libc.mallinfo2().pieces_of_their_own - before)
    """
)
SET_UP = "from eventbridge_pipes.service import use_little_memory; use_little_memory()\n"


def output(program: str) -> str:
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout


def arenas(program: str) -> int:
    return output(program).count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_all_threads_share_one_arena() -> None:
    assert arenas(SET_UP + THREADS) == 1
    assert arenas(THREADS) > 1


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a threshold")
def test_a_large_piece_is_taken_from_the_system_by_itself_each_time() -> None:
    assert output(SET_UP + LARGE) == "1\n"
    assert output(LARGE) == "0\n"
