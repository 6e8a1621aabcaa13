"""Small helpers of the measurements."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import TypeVar

import psutil

T = TypeVar("T")


def until(reached: Callable[[], bool], timeout: float = 300.0, every: float = 0.1) -> None:
    """Return once it is so. Each look, ten a second, takes time from what is measured."""
    deadline = time.monotonic() + timeout
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not reached within {timeout:g} s")
        time.sleep(every)


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that a call takes, and its result."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


class PeakMemory:
    """The largest resident set, in bytes, that a kind of process had while this is entered."""

    def __init__(self, kinds: dict[str, Callable[[list[str]], bool]]) -> None:
        self._kinds = kinds
        self._stopped = Event()
        self._thread = Thread(target=self._sample, daemon=True)
        self.peaks = dict.fromkeys(kinds, 0)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stopped.wait(0.2):
            for process in psutil.Process().children(recursive=True):
                try:
                    command, resident = process.cmdline(), process.memory_info().rss
                except psutil.Error:
                    continue
                for kind, is_one in self._kinds.items():
                    if is_one(command):
                        self.peaks[kind] = max(self.peaks[kind], resident)


def section(title: str) -> None:
    print(f"\n{title}", flush=True)


def row(label: str, value: str, note: str = "") -> None:
    print(f"  {label:<58} {value:>12}  {note}".rstrip(), flush=True)


def columns(*cells: str) -> None:
    """A line of a table: numbers, or what they are."""
    print("  " + "  ".join(f"{cell:>11}" for cell in cells).rstrip(), flush=True)
