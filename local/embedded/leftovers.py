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

GRACE_SECONDS = 10.0
SAVING_SECONDS = 600.0
LOOKED_AT_SECONDS = 1.0
POLL_SECONDS = 0.02


def claim(file: IO[str]) -> bool:
    """Lock the file for this process and all that inherit it, and empty it; False if another holds
    it for longer than `held` takes."""
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


def held(file: Path) -> bool:
    """Whether somebody has claimed it. Any number of processes may look at once."""
    with suppress(FileNotFoundError), file.open() as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def write(file: IO[str], number: int, name: str) -> None:
    """Say which server it is that holds the lock."""
    file.write(f"{number}\n{name}\n")


def left(folder: Path) -> list[Path]:
    """The files of servers that run, in the folder or in one inside it; MiniStack's is the last."""
    files = (*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*/*{SUFFIX}"))
    return sorted(filter(held, files), key=lambda file: file.stem == LAST)


def described(file: Path) -> str:
    number, name = [*file.read_text().splitlines(), "?", file.stem][:2]
    return f"{name} (process {number})"


def end(file: Path) -> None:
    """End the server. One whose number nobody wrote down stays: who started it was killed then."""
    if not (written := file.read_text().splitlines()):
        return
    number = int(written[0])
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGTERM)
    deadline = time.monotonic() + (SAVING_SECONDS if file.stem == LAST else GRACE_SECONDS)
    while held(file) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    if held(file):
        with suppress(ProcessLookupError):
            os.killpg(number, signal.SIGKILL)


def main() -> None:
    sys.stdin.read()
    for file in left(Path(sys.argv[1])):
        end(file)


if __name__ == "__main__":
    main()
