"""Servers that outlived who started them, by kill -9, say: found by their files, and ended.

A server holds a lock on a file with its process id for as long as it runs, so that a number in such
a file is that of a server exactly while somebody holds the lock.

As a program it ends the servers in a folder once its standard input is closed: who starts them
starts it, and holds the other end, which goes with the process whatever ends that.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

SUFFIX = ".pid"
LAST = "ministack"
"""It is ended after the others, for it saves what they did last."""

GRACE_SECONDS = 60.0
LOOKED_AT_SECONDS = 1.0
POLL_SECONDS = 0.02


def claim(file: IO[str]) -> bool:
    """Lock the file for this process and all that inherit it, and empty it. False if it is taken
    and not only looked at."""
    deadline = time.monotonic() + LOOKED_AT_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        else:
            file.truncate(0)
            return True


def write(file: IO[str], number: int, name: str) -> None:
    """Say which server it is that holds the lock."""
    file.write(f"{number}\n{name}\n")


def end(folder: Path) -> list[str]:
    """End the servers whose files are in the folder or in one inside it. Returns what they are."""
    files = (*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*/*{SUFFIX}"))
    left = [file for file in files if _held(file)]
    return [_end(file) for file in sorted(left, key=lambda file: file.stem == LAST)]


def _end(file: Path) -> str:
    if not (written := file.read_text().splitlines()):
        # Who started it was killed at that very moment, and nobody knows its number.
        return file.stem
    number, name = int(written[0]), written[1]
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while _held(file):
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.killpg(number, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
    return f"{name} (process {number})"


def _held(file: Path) -> bool:
    with suppress(FileNotFoundError), file.open() as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def main() -> None:
    sys.stdin.read()
    end(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
