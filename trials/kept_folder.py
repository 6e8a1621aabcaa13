"""For runs of minutes that end with a verdict: a folder that is kept when they fail."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path


def run_in_folder(
    prefix: str, carry_out: Callable[[Path], list[str]], tell: Callable[[str], None]
) -> int:
    """The exit code of a run, once it has told what went wrong, a line each: nothing, it passed.

    Ctrl+C, and SIGTERM, end it and leave nothing behind.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    tell(f"state and logs of the services, kept if it fails: {folder}")
    try:
        found = carry_out(folder)
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        return 130
    if not found:
        shutil.rmtree(folder)
    tell("\n".join(["", *found, "FAILED" if found else "PASSED"]))
    return 1 if found else 0
