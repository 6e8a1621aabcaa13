"""The line that shows how far a run is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self, TextIO

LINE_EVERY_SECONDS = 60.0


class ProgressLine:
    """A line that is written over on a terminal.

    In a file, lines that become rarer: after 2, 4, 8, 16 and 32 seconds, then every minute.
    """

    def __init__(
        self, out: TextIO, first: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._clock = clock
        self._started = clock()
        self._next = self._started + first
        self._open = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._end_line()

    def show(self, text: str) -> None:
        self._open = text
        now = self._clock()
        if self._out.isatty():
            print(f"\r\033[K{text}", end="", file=self._out, flush=True)
        elif now >= self._next:
            self._next = now + min(now - self._started, LINE_EVERY_SECONDS)
            self._end_line()

    def note(self, text: str) -> None:
        """Write a line that stays."""
        self._end_line()
        print(text, file=self._out, flush=True)

    def _end_line(self) -> None:
        """Keep the last text that was shown."""
        if self._open:
            print("" if self._out.isatty() else self._open, file=self._out, flush=True)
            self._open = ""
