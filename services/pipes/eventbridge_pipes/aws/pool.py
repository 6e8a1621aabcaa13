"""Requests over connections that are kept open between them."""

from __future__ import annotations

import threading
import time
from collections import deque

from eventbridge_pipes.aws.connection import Answer, Connection, DroppedError, Endpoint

REST_SECONDS = 20.0
"""A connection that rested for longer is not used again: the server may be about to close it."""


class Pool:
    """The connections to one endpoint, as many as there are requests at the same moment."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._lock = threading.Lock()
        # Used and put aside at the right end, so that those that are not needed grow old.
        self._resting: deque[Connection] = deque()

    def begin(self, request: bytes) -> Exchange:
        """Send `request`, and do not wait for its answer. Raises OSError."""
        return Exchange(self, request)

    def take(self) -> Connection | None:
        """A connection that was used before, if there is one."""
        with self._lock:
            self._close_older_than(REST_SECONDS)
            return self._resting.pop() if self._resting else None

    def put_aside(self, connection: Connection) -> None:
        connection.rested = time.monotonic()
        with self._lock:
            self._resting.append(connection)
            self._close_older_than(REST_SECONDS)

    def close(self) -> None:
        """Close what rests."""
        with self._lock:
            self._close_older_than(-1.0)

    def _close_older_than(self, seconds: float) -> None:
        oldest = time.monotonic() - seconds
        while self._resting and (self._resting[0].rested or 0.0) < oldest:
            self._resting.popleft().close()


class Exchange:
    """A request that is under way (see Pool.begin)."""

    def __init__(self, pool: Pool, request: bytes) -> None:
        self._pool = pool
        self._request = request
        self._connection = self._send_over_old() or self._send_over_new()

    def answer(self, timeout: float) -> Answer:
        """To be called once. `timeout` is the longest silence to bear, in seconds.

        Raises OSError, among them TimeoutError.
        """
        try:
            answer = self._receive(timeout)
        except BaseException:
            self._connection.close()
            raise
        if answer.reusable:
            self._pool.put_aside(self._connection)
        else:
            self._connection.close()
        return answer

    def _receive(self, timeout: float) -> Answer:
        try:
            return self._connection.receive(timeout)
        except DroppedError:
            # A server may close a connection that rested at any moment, also at the one in which
            # a request is on its way. A new one that it closes is another matter.
            if self._connection.rested is None:
                raise
        self._connection.close()
        self._connection = self._send_over_new()
        return self._connection.receive(timeout)

    def _send_over_old(self) -> Connection | None:
        connection = self._pool.take()
        if connection is None:
            return None
        try:
            connection.send(self._request)
        except OSError:
            connection.close()
            return None
        return connection

    def _send_over_new(self) -> Connection:
        connection = Connection(self._pool.endpoint)
        try:
            connection.send(self._request)
        except BaseException:
            connection.close()
            raise
        return connection
