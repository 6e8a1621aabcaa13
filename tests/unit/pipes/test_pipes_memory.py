"""The memory of a process with many threads, in processes of their own."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap

import pytest

THREADS = textwrap.dedent(
    """
    import ctypes, threading

    barrier = threading.Barrier(9)

    def allocate():
        kept = ctypes.create_string_buffer(100_000)
        barrier.wait()
        barrier.wait()

    threads = [threading.Thread(target=allocate) for _ in range(8)]
    for thread in threads:
        thread.start()
    barrier.wait()
    libc = ctypes.CDLL(None)
    libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
    libc.fflush(None)
    barrier.wait()
    """
)
KEPT = "from eventbridge_pipes.memory import keep_one_arena; keep_one_arena()\n"


def arenas(program: str) -> int:
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_all_threads_share_one_arena() -> None:
    assert arenas(KEPT + THREADS) == 1
    assert arenas(THREADS) > 1
