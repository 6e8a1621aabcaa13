"""The live page as a process beside the embedded target."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from inventory_cli.embedded import pipes
from inventory_cli.embedded.processes import Server, answers, is_free
from provisioner.variables import between, read

NAME = "the dashboard"
PORT_VARIABLE = "DASHBOARD_PORT"
PORT = 8080
HIGHEST_PORT = 65_535
OFF = 0
ANSWER_SECONDS = 0.2


def left_out(port: int | None) -> str | None:
    """Why there is none on `port`, or None when there can be one."""
    if port == OFF:
        return f"{PORT_VARIABLE}={OFF}"
    if find_spec("nicegui") is None:
        return "it is not installed (`make up` does that)"
    if port and not is_free(port):
        return f"another program listens on {port}: choose another {PORT_VARIABLE}, or set none"
    return None


def asked(environ: Mapping[str, str]) -> int | None:
    """The port that somebody wants it on, and no other. Raises provisioner.SettingsError."""
    found: int | None = read({"port": (PORT_VARIABLE, between(OFF, HIGHEST_PORT))}, environ).get(
        "port"
    )
    return found


class Page:
    """It runs from now on, with everything that can be controlled."""

    def __init__(
        self, port: int, state: Path, environ: Mapping[str, str], producer_control: str
    ) -> None:
        """`environ` leads to the stack."""
        self._url = f"http://127.0.0.1:{port}"
        self._told: str | None = None
        endpoint = environ["AWS_ENDPOINT_URL_PIPES"]
        settings = {
            "DASHBOARD_CONTROLS": "1",
            "PIPES_METRICS_URL": pipes.metrics_url(endpoint),
            "PIPES_CRASH_URL": pipes.crash_url(endpoint),
            "PRODUCER_CONTROL_URL": f"http://{producer_control}",
            **environ,
            PORT_VARIABLE: str(port),
        }
        argv = [sys.executable, "-m", "dashboard"]
        self.server = Server.start("The dashboard", argv, settings, state / "dashboard.log")

    def news(self) -> str | None:
        """Where it is, once it answers, and why it ended, once it has; each once."""
        told, self._told = self._told, self._now()
        return self._told if self._told != told else None

    def _now(self) -> str | None:
        if not self.server.running:
            return f"The dashboard ended: {self.server.last_line()}"
        if self._told or answers(f"{self._url}/health", ANSWER_SECONDS):
            return f"The dashboard: {self._url}"
        return None
