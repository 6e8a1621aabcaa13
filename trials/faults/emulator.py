"""MiniStack, to be stopped and started again on what it has kept."""

from __future__ import annotations

import os
from pathlib import Path

from embedded import ministack
from embedded.environment import isolated, variables
from embedded.ports import free_port
from embedded.processes import Server

LONGEST_STOP_SECONDS = 90.0
"""The function's time limit, and half as much again for a busy machine."""


class Emulator:
    """On one port and one folder for all of its lives. It is not started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return ministack.url(self._port)

    def start(self) -> None:
        environment = isolated(os.environ, variables(self.url, None))
        self._server = ministack.start(self._port, self._folder, environment)
        self._server.wait_until(lambda: ministack.ready(self._port), timeout=30)

    def stop(self) -> None:
        """It has kept what it had: it waits first for functions that are at work, and these try
        on, until their time is over, to reach an emulator that no longer answers."""
        if self._server:
            self._server.stop(grace=LONGEST_STOP_SECONDS)
            assert self._server.finished, self._server.last_line()
