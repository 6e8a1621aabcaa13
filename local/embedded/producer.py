"""The producer as a process beside the embedded target."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from embedded.processes import Server


class Producer:
    """The producer, running from now on. `environ` leads to the stack.

    It ends with an error when its stream is deleted, and is started again when there is one.
    """

    def __init__(
        self, options: Sequence[str], folder: Path, environ: Mapping[str, str], control: str
    ) -> None:
        self._argv = [sys.executable, "-m", "producer", "--output", "jsonl", "--control", control]
        self._argv += options
        self._environ = environ
        self._log = folder / "producer.log"
        self._start()

    def _start(self) -> None:
        self.server = Server.start("The producer", self._argv, self._environ, self._log)
        self._told = False

    def news(self, has_stream: Callable[[], bool]) -> str | None:
        """Start it again if it failed, and there is a stream. Return what has changed, once."""
        if self.server.failed and has_stream():
            why = self.server.last_line()
            self._start()
            return f"The producer ended, and was started again: {why}"
        if self.server.running or self._told:
            return None
        self._told = True
        if self.server.finished:
            return "The producer has sent all its events and ended."
        return "The producer waits for a stream: `deploy` creates it."
