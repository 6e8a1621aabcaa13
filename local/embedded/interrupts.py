"""Ctrl+C, SIGTERM and a closed terminal, noticed where nothing is half done."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SLICE_SECONDS = 0.05
STDERR = 2


class InterruptedRunError(Exception):
    """A signal asked the program to stop."""

    def __init__(self, signal_number: int) -> None:
        self.signal_name = signal.Signals(signal_number).name
        super().__init__(f"stopped by {self.signal_name}")
        self.exit_code = 128 + signal_number


class Interrupts:
    """While it is entered, signals are only noted. `check` and `pause` raise for each, once.

    So a server that was just started is always known before the program stops. `why_not_yet` says
    what the end waits for: the first signal prints it at once, after "Stopping…".
    """

    def __init__(self, why_not_yet: str | None = None) -> None:
        self._received: int | None = None
        self._why_not_yet = why_not_yet

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        if self._before[signal.SIGHUP] is signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raises InterruptedRunError if a signal has come."""
        if self._received is not None:
            received, self._received = self._received, None
            raise InterruptedRunError(received)

    def pause(self, seconds: float) -> None:
        """Wait. Raises InterruptedRunError as soon as a signal comes."""
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_SECONDS))
            self.check()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = number
        if self._why_not_yet is not None:
            _say_stopping(self._why_not_yet)
            self._why_not_yet = None


@contextmanager
def announced(why_not_yet: str) -> Iterator[None]:
    """Let Ctrl+C print "Stopping…" and `why_not_yet` before it raises KeyboardInterrupt."""

    def handle(number: int, frame: FrameType | None) -> None:
        _say_stopping(why_not_yet)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _say_stopping(why_not_yet: str) -> None:
    """Write to the terminal directly: a signal handler may interrupt a print."""
    notice = f"Stopping… {why_not_yet}".rstrip()
    with suppress(OSError):
        os.write(STDERR, (f"\n{notice}\n" if os.isatty(STDERR) else f"{notice}\n").encode())


@contextmanager
def held_back() -> Iterator[None]:
    """Let the program's signal handlers run only after the block. In other threads than the main
    one, no handler runs anyway."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = {n: signal.signal(n, lambda number, _: received.append(number)) for n in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for each in received:
            signal.raise_signal(each)
