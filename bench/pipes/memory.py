"""The peak memory of a service while it delivers large records."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.figures import until
from bench.pipes.fake import FUNCTION, FakeAws, stand_beside, start_pipe

RECORDS = 500
RECORD_BYTES = 240_000
LARGE_BYTES = 900_000
PLACES = 800
BATCH = 10


def of_backlog() -> int:
    """Peak bytes while the service delivers 120 MB from one shard to a function."""
    return _peak([_record(RECORD_BYTES)] * RECORDS, BATCH, None)


def of_large_template() -> int:
    """Peak bytes while a template contains a record of 900 KB 800 times.

    No function takes that much. A small record follows: when it arrives, the pipe has given up
    the large one.
    """
    template = f"[{','.join(['<$.data>'] * PLACES)}]"
    return _peak([_record(LARGE_BYTES), _record(100)], 1, template)


def _record(size: int) -> bytes:
    return json.dumps("x" * size).encode()


def _peak(records: Sequence[bytes], batch: int, template: str | None) -> int:
    arrived = [0]

    def watch(operation: str, count: int) -> None:
        if operation == "Invoke":
            arrived.append(count)

    with FakeAws(watch) as aws, stand_beside(aws) as stand:
        aws.put(*records)
        start_pipe(stand, FUNCTION, batch, template=template)
        due = 1 if template else len(records)
        until(lambda: sum(arrived) >= due)
        return _high_water_mark(stand.pipes)


def _high_water_mark(process: psutil.Process) -> int:
    """The largest resident set that it ever had, in bytes. Only Linux reports it."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) * 1024
