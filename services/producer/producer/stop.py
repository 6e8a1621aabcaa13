"""SIGINT and SIGTERM as a request to stop, and waiting that such a request ends.

Once it is made, `feed` takes no more events and sends those that it has taken. The run prints its
summary and exits with 0. A SIGINT after that stops at once: the exit code is 1, and the message
says how many events are not confirmed.
"""

from __future__ import annotations

import select
import signal
import socket
from contextlib import suppress
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AN_HOUR = 3600.0  # `select` does not take any number of seconds.


class StopRequest:
    """While it is entered, SIGINT and SIGTERM set `made`; a SIGINT after that raises
    KeyboardInterrupt wherever the main thread is. Main thread only.

    A signal also writes to a socket that `wait` watches (`signal.set_wakeup_fd`): one that comes
    just before the wait is not missed, and no lock is taken in the handler.
    """

    def __init__(self) -> None:
        self.made = False

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._old_wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._old_handlers = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        self._reader.close()
        self._writer.close()

    def wake(self) -> None:
        """End the wait of the main thread, or the next one. Any thread may call it."""
        with suppress(OSError):  # full of what no wait has seen yet, or closed
            self._writer.send(b"\0")

    def wait(self, seconds: float) -> None:
        """Return after `seconds` (an hour at most), or when a signal arrives or `wake` is called
        that no wait has seen yet."""
        readable, _, _ = select.select([self._reader], [], [], min(max(0.0, seconds), AN_HOUR))
        if readable:
            self._reader.recv(4096)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.made and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.made = True
