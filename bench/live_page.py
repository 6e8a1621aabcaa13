"""The page of a stack as `inventory up` runs it, to be measured."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.ports import free_port
from embedded.processes import Server, answers

STARTUP_SECONDS = 180.0


@contextmanager
def live_page(root: Path, *options: str) -> Iterator[str]:
    """Its address. `root` is the stack's own folder, with its state in `state`; `options` are those
    of `inventory up`."""
    port = free_port()
    argv = [sys.executable, "-m", "inventory_cli", "--state", str(root / "state"), "up", *options]
    environ = {**os.environ, "DASHBOARD_PORT": str(port)}
    server = Server.start("inventory up", argv, environ, root / "up.log")
    url = f"http://127.0.0.1:{port}"
    try:
        server.wait_until(lambda: answers(f"{url}/health"), STARTUP_SECONDS)
        yield url
    finally:
        server.stop(grace=60)
