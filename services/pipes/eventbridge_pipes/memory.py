"""How the memory of a process with many threads and many short-lived records is managed."""

from __future__ import annotations

import ctypes
import gc
import platform

# See mallopt(3).
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_LARGE_BYTES = 128 * 1024
"""glibc's own measure of what is large, to begin with."""


def keep_one_arena() -> None:
    """Have all threads share one arena of malloc. To be called before there are any.

    glibc gives threads arenas of their own, up to eight a core, so that they need not wait for
    each other, and hardly gives back what was free in between. Python's threads wait for each
    other anyway: what is left is that records, read by one thread and let go by another, make all
    arenas as large as their busiest moment. Other C libraries are left as they are.
    https://sourceware.org/glibc/wiki/MallocInternals
    """
    _mallopt(_M_ARENA_MAX, 1)


def give_large_pieces_back() -> None:
    """Have what is large, such as a page of records, be given back as soon as it is let go.

    glibc takes such pieces from the system one by one, but no longer once it has seen them come
    and go: then they are cut out of the arena, which small pieces in between keep from shrinking.
    A threshold that is set stays as it is.
    """
    _mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def _mallopt(parameter: int, value: int) -> None:
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(parameter, value)


def look_past_what_stays() -> None:
    """Spare the collector of cycles what is there for good. To be called once all is imported."""
    gc.freeze()
