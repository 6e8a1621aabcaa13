"""The live page as a process beside the embedded target."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from inventory_cli.embedded import pipes
from inventory_cli.embedded.processes import Server

PORT_VARIABLE = "DASHBOARD_PORT"
PORT = "8080"
OFF = "0"


def left_out(environ: Mapping[str, str]) -> str | None:
    """Why there is none, or None when there can be one."""
    if environ.get(PORT_VARIABLE) == OFF:
        return f"{PORT_VARIABLE}={OFF}"
    if find_spec("nicegui") is None:
        return "it is not installed (`make up` does that)"
    return None


def start(state: Path, environ: Mapping[str, str], producer_control: str) -> Server:
    """Start it, with everything that can be controlled; `environ` leads to the stack."""
    endpoint = environ["AWS_ENDPOINT_URL_PIPES"]
    settings = {
        "DASHBOARD_CONTROLS": "1",
        "PIPES_METRICS_URL": pipes.metrics_url(endpoint),
        "PIPES_CRASH_URL": pipes.crash_url(endpoint),
        "PRODUCER_CONTROL_URL": f"http://{producer_control}",
    }
    argv = [sys.executable, "-m", "dashboard"]
    return Server.start("The dashboard", argv, {**settings, **environ}, state / "dashboard.log")


def url(environ: Mapping[str, str]) -> str:
    return f"http://127.0.0.1:{environ.get(PORT_VARIABLE) or PORT}"
