"""Puts the service together and runs it until a signal ends it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import platform
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType

import h11
import uvicorn
from botocore.loaders import Loader
from botocore.model import ServiceModel
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from eventbridge_pipes import log, resources
from eventbridge_pipes.api.http import application
from eventbridge_pipes.api.operations import PipesService
from eventbridge_pipes.aws.clients import AwsSetupError, Clients, connect
from eventbridge_pipes.lifecycle import Lifecycle
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.resources import ResourceError
from eventbridge_pipes.runners import runner_of
from eventbridge_pipes.runners.idle import IdlePoller
from eventbridge_pipes.settings import Settings
from eventbridge_pipes.store import StateDirectoryError, Store
from eventbridge_pipes.telemetry.metrics import Telemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics

GRACE_SECONDS = 5.0
"""How long batches that are at the target when a signal comes may take to finish."""

# See mallopt(3).
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8


class ListenError(Exception):
    """The address cannot be listened on."""


def main() -> int:
    os.umask(0o077)  # the state is its owner's
    use_little_memory()
    settings = Settings.read(sys.argv[1:], os.environ)
    try:
        listener = _listen(settings.host, settings.port)
        aws = connect()
        store = Store(settings.state)
    except (ListenError, AwsSetupError, StateDirectoryError) as error:
        print(f"eventbridge-pipes: {log.escaped(str(error))}", file=sys.stderr)
        return 2

    log.configure(settings.log_format, settings.log_level, aws.home)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    kept = f"state in {settings.state}" if settings.state else "nothing is kept"
    log.LOGGER.info(
        "EventBridge Pipes at http://%s, account %s, Region %s, %s", shown, *aws.home, kept
    )

    prometheus = PrometheusMetrics(store.pipes)
    telemetry = Telemetry(aws, prometheus, settings.metrics_interval)
    poller = IdlePoller()

    def clients_of(pipe: Pipe) -> Clients:
        if not aws.emulated and pipe.scope.account != aws.home.account:
            raise ResourceError(f"Towards AWS, only pipes of account {aws.home.account} run.")
        return aws.of(pipe.scope)

    lifecycle = Lifecycle(
        store,
        lambda pipe: resources.check(clients_of(pipe), pipe),
        lambda pipe, origin: runner_of(clients_of(pipe), store, telemetry, poller, pipe, origin),
        telemetry.forget,
    )
    service = PipesService(store, lifecycle, aws.home)
    model = ServiceModel(Loader().load_service_model("pipes", "service-2"), "pipes")
    app = application(
        model,
        service,
        prometheus,
        settings.admitted,
        emulated=aws.emulated,
        allow_crash=settings.allow_crash,
    )
    server = _server(app)
    lifecycle.resume()
    server.run(sockets=[listener])
    ended = lifecycle.stop(GRACE_SECONDS)
    telemetry.close()
    if ended:
        store.close()
    else:
        log.LOGGER.warning("ended with batches at their targets: they will be sent again")
    return 0


def use_little_memory() -> None:
    """Set up memory for many threads and many short-lived records. Call it before any thread runs.

    glibc gives threads arenas of their own, up to eight a core, so that they need not wait for
    each other, and hardly gives back what was free in between. Python's threads wait for each
    other anyway, so one arena is enough. Large pieces, such as a page of records, are given back
    as soon as they are free: glibc stops doing so unless its threshold is set. Other C libraries
    are left as they are. https://sourceware.org/glibc/wiki/MallocInternals, mallopt(3)
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_MMAP_THRESHOLD, 128 * 1024)  # glibc's own threshold, to begin with
    gc.freeze()  # what is imported by now stays


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        raise ListenError(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another --host or --port"
        ) from error
    return listener


class BoundedProtocol(H11Protocol):
    """A connection that has a limited time to send each request; their number is limited too."""

    request_seconds = 30.0
    """How long a client may take to send a request; uvicorn itself would wait for ever."""
    most_connections = 256
    """Further connections are closed, so that the pipes keep enough file descriptors for theirs."""
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit_time()
        if len(self.connections) > self.most_connections:
            transport.abort()

    def handle_events(self) -> None:
        super().handle_events()
        self._limit_time()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _limit_time(self) -> None:
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            if self._deadline:
                self._deadline.cancel()
            self._deadline = None
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.request_seconds, self.transport.abort)


class Server(uvicorn.Server):
    """Uvicorn's own looks ten times a second whether it should end: up to 1 % of a core."""

    _loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._ending = asyncio.Event()  # before `_loop`: a signal may come in between
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # it also sets the time that answers carry
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), timeout=1)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop:
            self._loop.call_soon_threadsafe(self._ending.set)


def _server(app: Starlette) -> uvicorn.Server:
    """A server that SIGINT and SIGTERM end well, from now on."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)

    def end(*_: object) -> None:
        server.should_exit = True

    # While it serves, uvicorn handles them itself; when done, it raises the one that ended it
    # again, which must not end the process before the pipes have stopped.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return server
