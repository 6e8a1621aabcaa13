"""The line that shows how far a run is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self, TextIO

FIRST_LINE_SECONDS = 2.0
LINE_EVERY_SECONDS = 60.0
"""In a file, a line comes after 2, 4, 8, 16 and 32 seconds, then every minute."""


class ProgressLine:
    """A line that is written over on a terminal. In a file, lines that become rarer."""

    def __init__(
        self,
        out: TextIO,
        first: float = FIRST_LINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out
        self._over = out.isatty()
        self._clock = clock
        self._started = clock()
        self._next = first
        self._unwritten = ""
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Keep the last line."""
        if self._over and self._width:
            self._out.write("\n")
        elif self._unwritten:
            self._write(self._unwritten)

    def show(self, text: str) -> None:
        if self._over:
            self._out.write(f"\r{text:<{self._width}}")
            self._out.flush()
            self._width = len(text)
            return
        self._unwritten = text
        seconds = self._clock() - self._started
        if seconds >= self._next:
            self._next = seconds + min(seconds, LINE_EVERY_SECONDS)
            self._write(text)

    def note(self, text: str) -> None:
        """Write a line that stays."""
        if self._over and self._width:
            self._out.write("\n")
        self._write(text)
        self._width = 0

    def _write(self, text: str) -> None:
        self._out.write(f"{text}\n")
        self._out.flush()
        self._unwritten = ""
