"""How the memory of a process with many threads and many short-lived records is managed."""

from __future__ import annotations

import ctypes
import gc
import platform

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


def look_past_what_stays() -> None:
    """Spare the collector of cycles what is there for good. To be called once all is imported."""
    gc.freeze()
