"""The Pipes service, as it is, in a process that ends or whose clock jumps: `-m faults.launcher`.

What the proxy cannot see from outside is done here, around functions of the service that it knows
nothing of: DIES says where the process is killed, CLOCK names a file with the seconds by which its
clock is wrong.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DIES = "FAULTS_DIES"
CLOCK = "FAULTS_CLOCK"

LAST_WORDS = "ending as arranged"
"""What the log says before the process ends: if it ends for another reason, that shows."""

TORN_BYTES = 2000
"""How much of what is written last still gets to the disk: less than a page of SQLite's."""


def say_last_words() -> None:
    print(LAST_WORDS, file=sys.stderr, flush=True)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_writing() -> None:
    """Die at the next write of more than TORN_BYTES to the write-ahead log, in the middle of it."""
    state = Path(sys.argv[sys.argv.index("--state") + 1])
    size = (state / "pipes.sqlite-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + TORN_BYTES, resource.RLIM_INFINITY))


def arrange_death(order: str) -> None:
    """`order`: before, in or after; the service's module, class and method; which call, from 0."""
    when, module, owner, method, nth = order.split()
    holder: Any = getattr(importlib.import_module(f"eventbridge_pipes.{module}"), owner)
    # So that the kernel ends a process that writes too much; Python would have it told instead.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    setattr(holder, method, dying(getattr(holder, method), when, int(nth)))


def dying(function: Callable[..., Any], when: str, nth: int) -> Callable[..., Any]:
    lock = threading.Lock()
    calls = 0

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        with lock:
            is_the_one = calls == nth
            calls += 1
        if is_the_one and when != "after":
            say_last_words()
        if is_the_one and when == "before":
            die()
        if is_the_one and when == "in":
            die_writing()
        returned = function(*arguments, **named)
        if is_the_one and when == "after":
            say_last_words()
            die()
        return returned

    return wrapped


def set_wrong(offset: Path) -> None:
    """Have the wall clock go by what the file says, from now on; the monotonic one is not asked."""
    right = time.time
    time.time = lambda: right() + float(offset.read_text())


def main() -> int:
    if CLOCK in os.environ:  # before anything has kept the function as it is
        set_wrong(Path(os.environ[CLOCK]))
    if DIES in os.environ:
        arrange_death(os.environ[DIES])
    from eventbridge_pipes.__main__ import main as service

    return service()


if __name__ == "__main__":
    sys.exit(main())
