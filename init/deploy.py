"""Give the functions' zip to the emulator's start hook, or deploy it to an emulator that runs.

    python deploy.py ZIP FOLDER

The start hook waits for the zip in FOLDER. If the emulator runs already, this program runs the
provisioner itself. So `docker compose up` and `docker compose watch` deploy changed code, and the
emulator keeps its data. The file /tmp/deployed says that it is done. Then the container sleeps.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from http.client import HTTPException
from pathlib import Path

import healthcheck
from provisioner import Action, Change
from provisioner.__main__ import main as provision

DEPLOYED = Path("/tmp/deployed")  # noqa: S108 - the container's own


def is_running(url: str) -> bool:
    """Whether the emulator's start hooks have ended."""
    try:
        return healthcheck.ask(url) is not None
    except (OSError, HTTPException):
        return False


def hand_over(zip_file: Path, target: Path) -> bool:
    """Put the zip at `target`, whole or not at all. Return whether it replaced another one."""
    before = target.read_bytes() if target.exists() else None
    unfinished = target.with_suffix(".new")
    shutil.copyfile(zip_file, unfinished)
    unfinished.replace(target)
    return before is not None and before != target.read_bytes()


def tell(change: Change) -> None:
    if change.action is not Action.UNCHANGED:
        print(change, flush=True)


def main(zip_file: Path, folder: Path) -> int:
    url = os.environ["AWS_ENDPOINT_URL"]
    running = is_running(url)
    if hand_over(zip_file, folder / "function.zip") or running:
        healthy, reason = healthcheck.wait(url, time.monotonic, time.sleep)
        if not healthy:
            print(f"The functions are not deployed: {reason}", file=sys.stderr)
            return 1
        if code := provision([str(zip_file)], tell):
            return code
    DEPLOYED.touch()
    os.execvp("sleep", ["sleep", "infinity"])  # noqa: S606, S607 - it needs less memory than Python


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
