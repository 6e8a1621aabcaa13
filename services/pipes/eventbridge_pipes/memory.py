"""How the memory of a process with many threads and many short-lived records is managed."""

from __future__ import annotations

import ctypes
import gc
import platform

COLLECT_AFTER = 50_000
"""Objects made and not let go; Python's own threshold is 700, or 2,000."""

_M_ARENA_MAX = -8
"""See mallopt(3)."""


def keep_one_arena() -> None:
    """Have all threads share one arena of malloc. To be called before there are any.

    glibc gives threads arenas of their own, up to eight a core, so that they need not wait for
    each other, and hardly gives back what was free in between. Python's threads wait for each
    other anyway: what is left is that records, read by one thread and let go by another, make all
    arenas as large as their busiest moment. Other C libraries are left as they are.
    https://sourceware.org/glibc/wiki/MallocInternals
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def seldom_look_for_cycles() -> None:
    """Spare the collector of cycles most of its work. To be called once everything is imported.

    Records, of which there are thousands at a time, are in no cycles: they go when the last who
    holds them lets go. Looking at them again and again takes a quarter of their time here.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
