"""The dashboard as a process beside the embedded target."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from embedded.ports import chosen, is_free
from embedded.processes import Server, StartupError, answers

NAME = "the dashboard"
PORT_VARIABLE = "DASHBOARD_PORT"
PORT = 8080
OFF = 0
ANSWER_SECONDS = 0.2
STARTUP_SECONDS = 20.0


def left_out(port: int | None) -> str | None:
    """Return why there is no dashboard on `port`. None if there can be one."""
    if port == OFF:
        return f"{PORT_VARIABLE}={OFF}"
    if find_spec("nicegui") is None:
        return "it is not installed. Run `make up`, or install `inventory-stack[dashboard]`."
    if port and not is_free(port):
        return f"port {port} is in use. Set {PORT_VARIABLE} to another port."
    return None


def asked(environ: Mapping[str, str]) -> int | None:
    """Return the port that the user chose, if any. Raises SettingsError."""
    return chosen(environ, PORT_VARIABLE, lowest=OFF).get(PORT_VARIABLE)


class Page:
    """The dashboard, running from now on. It may control everything."""

    def __init__(
        self, port: int, folder: Path, environ: Mapping[str, str], producer_control: str
    ) -> None:
        """`environ` leads to the stack."""
        self.url = f"http://127.0.0.1:{port}"
        pipes = environ["AWS_ENDPOINT_URL_PIPES"]
        settings = {
            "DASHBOARD_CONTROLS": "1",
            "PIPES_METRICS_URL": f"{pipes}/metrics",
            "PIPES_CRASH_URL": f"{pipes}/crash",
            "PRODUCER_CONTROL_URL": f"http://{producer_control}",
            **environ,
            PORT_VARIABLE: str(port),
        }
        argv = [sys.executable, "-m", "dashboard"]
        self.server = Server.start("The dashboard", argv, settings, folder / "dashboard.log")
        self._told = False

    def wait(self, pause: Callable[[float], object]) -> None:
        """Return once it answers or has ended, or after some seconds."""
        with suppress(StartupError):
            self.server.wait_until(
                lambda: answers(f"{self.url}/health", ANSWER_SECONDS), STARTUP_SECONDS, pause
            )

    def news(self) -> str | None:
        """Return why it ended, once."""
        if self.server.running or self._told:
            return None
        self._told = True
        return f"The dashboard ended: {self.server.last_line()}"
