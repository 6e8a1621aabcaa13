"""Nothing of a killed test run stays behind: `python orphans.py MARK` waits for its end.

All processes that a run starts inherit a mark in their environment, and all containers, networks
and volumes have it in their names. A run that is killed removes none of them; a process of its own
does, which learns from a pipe that the run has ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from contextlib import suppress

import psutil

VARIABLE = "INVENTORY_TEST_SESSION"


def guard() -> None:
    """Mark this process, and have what bears its mark cleared up when it ends, however it ends."""
    mark = os.environ[VARIABLE] = f"inventory-test-{uuid.uuid4().hex[:8]}"
    # Nothing is written to it. The other end is open for as long as this process lives.
    read_end, _ = os.pipe()
    os.posix_spawn(
        sys.executable,
        [sys.executable, __file__, mark],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, read_end, 0)],
        setpgroup=0,  # Ctrl+C is not for it
    )
    os.close(read_end)


def own_name(what: str) -> str:
    """A name for something in Docker, by which it is found if this run is killed."""
    return f"{os.environ[VARIABLE]}-{what}-{uuid.uuid4().hex[:8]}"


def kill_marked(mark: str) -> None:
    """Kill again until none is left: one may have started another just before its end."""
    while marked := [process for process in psutil.process_iter() if has_mark(process, mark)]:
        for process in marked:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(marked, timeout=5)


def has_mark(process: psutil.Process, mark: str) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(VARIABLE) == mark
    except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def remove_marked(mark: str) -> None:
    """Containers go first, for they use the networks and volumes; those without a name go too."""
    for kind, also_stopped, its_volumes in (
        ("container", ["--all"], ["--volumes"]),
        ("network", [], []),
        ("volume", [], []),
    ):
        listed = ["docker", kind, "ls", *also_stopped, "--quiet", "--filter", f"name={mark}"]
        found = subprocess.run(listed, capture_output=True, text=True).stdout.split()
        if found:
            removal = ["docker", kind, "rm", "--force", *its_volumes, *found]
            subprocess.run(removal, capture_output=True)


if __name__ == "__main__":
    sys.stdin.read()
    kill_marked(sys.argv[1])
    with suppress(OSError):  # no Docker
        remove_marked(sys.argv[1])
