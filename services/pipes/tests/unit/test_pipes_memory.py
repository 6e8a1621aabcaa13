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
LARGE = textwrap.dedent(
    """
    import ctypes

    class Mallinfo2(ctypes.Structure):
        _fields_ = [(f"field_{n}", ctypes.c_size_t) for n in range(10)]

        @property
        def pieces_of_their_own(self):
            return self.field_3

    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = Mallinfo2
    ctypes.create_string_buffer(1024 * 1024)  # comes and goes, which glibc takes note of
    before = libc.mallinfo2().pieces_of_their_own
    kept = ctypes.create_string_buffer(1024 * 1024)
    print(libc.mallinfo2().pieces_of_their_own - before)
    """
)
GIVEN_BACK = "from eventbridge_pipes.memory import give_large_pieces_back as f; f()\n"
KEPT = "from eventbridge_pipes.memory import keep_one_arena; keep_one_arena()\n"


def output(program: str) -> str:
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout


def arenas(program: str) -> int:
    return output(program).count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_all_threads_share_one_arena() -> None:
    assert arenas(KEPT + THREADS) == 1
    assert arenas(THREADS) > 1


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a threshold")
def test_a_large_piece_is_taken_from_the_system_by_itself_each_time() -> None:
    assert output(GIVEN_BACK + LARGE) == "1\n"
    assert output(LARGE) == "0\n"
