"""Small helpers of the measurements."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

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


def peak_memory(pid: int) -> int:
    """Return the largest resident set that a process ever had, in bytes. Only Linux reports it."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def kinesis_record(number: int, key: str, data: bytes, arrived: float = 0.0) -> dict[str, Any]:
    """Return a record as GetRecords has it on the wire; its sequence number is `number`."""
    return {
        "SequenceNumber": f"{number:056d}",
        "ApproximateArrivalTimestamp": arrived,
        "PartitionKey": key,
        "Data": base64.b64encode(data).decode(),
    }


def section(title: str) -> None:
    print(f"\n{title}", flush=True)


def row(label: str, value: str, note: str = "") -> None:
    print(f"  {label:<58} {value:>12}  {note}".rstrip(), flush=True)


def columns(*cells: str) -> None:
    """A line of a table: numbers, or what they are."""
    print("  " + "  ".join(f"{cell:>11}" for cell in cells).rstrip(), flush=True)
