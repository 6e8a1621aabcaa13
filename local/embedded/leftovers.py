"""Servers that outlived the program that started them: found by their files, and ended.

A server locks a file with its process id for as long as it runs. So the id in such a file is that
of a server exactly while the file is locked.

`python -m embedded.leftovers FOLDER` ends the servers in a folder once its standard input is
closed. The program that starts the servers starts it too, and holds the other end, which is closed
whatever ends that program.
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
"""It is ended after the others, because it saves what they did last."""

GRACE_SECONDS = 10.0
SAVING_SECONDS = 600.0
LOCK_SECONDS = 1.0
POLL_SECONDS = 0.02


def claim(file: IO[str]) -> bool:
    """Lock the file for this process and those that inherit it, and empty it.

    Return False if another process holds it. `is_held` does so too, but briefly.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while not _lock(file, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    file.truncate(0)
    return True


def is_held(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open() as file:
        return not _lock(file, fcntl.LOCK_SH)
    return False


def _lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def find(folder: Path) -> list[Path]:
    """Return the files of the servers that run in the folder, MiniStack's last."""
    files = (*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*/*{SUFFIX}"))
    return sorted(filter(is_held, files), key=lambda file: file.stem == LAST)


def end(file: Path) -> None:
    """End the server.

    A server whose id is not in its file stays: the program that started it was killed just then.
    """
    number = int(file.read_text() or 0)
    if not number:
        return
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGTERM)
    deadline = time.monotonic() + (SAVING_SECONDS if file.stem == LAST else GRACE_SECONDS)
    while is_held(file) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    if is_held(file):
        with suppress(ProcessLookupError):
            os.killpg(number, signal.SIGKILL)


def main() -> None:
    sys.stdin.read()
    for file in find(Path(sys.argv[1])):
        end(file)


if __name__ == "__main__":
    main()
