"""What a killed test run leaves behind is ended: the guard that `orphans` starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

import orphans
from waiting import eventually

TESTS = Path(orphans.__file__).parent

RUN = """
import os, subprocess, sys, time
import orphans
orphans.guard()
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(os.environ[orphans.VARIABLE], flush=True)
time.sleep(600)
"""


def of_run(mark: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter() if orphans.has_mark(p, mark)]


def test_processes_of_a_killed_test_run_end() -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=TESTS, stdout=subprocess.PIPE, text=True
    )
    with run:
        assert run.stdout is not None
        mark = run.stdout.readline().strip()
        assert len(of_run(mark)) == 2, "its child, and the guard"
        run.kill()
    eventually(lambda: of_run(mark) == [])
