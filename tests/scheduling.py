"""Which worker of pytest-xdist runs which test: what shares costly servers stays together."""

from __future__ import annotations

import zlib
from typing import Any

from xdist.scheduler import LoadScopeScheduling


class ServersTogether(LoadScopeScheduling):  # type: ignore[misc]
    """Each test goes to whichever worker is free, but those that share the servers of one session
    or module to the same one: an emulator in a container, a project of Compose, a browser and the
    page that it looks at. These are begun first, for they take longest.

    It goes by the names of tests. `--dist loadgroup` would go by marks, which pytest-xdist 3.8
    cannot hand on under pytest 9.
    """

    def __init__(self, config: Any, log: Any = None) -> None:
        super().__init__(config, log)
        # Beside that of Compose's tests. Where there are others to run, a second one would only
        # take the processors from them, and go on doing so until its worker ends.
        self._emulators = 2 if config.option.markexpr == "containers" else 1

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith("tests/browser/"):
            return "browser"
        if file == "tests/containers/test_compose.py":
            return "compose"
        if file.startswith("tests/containers/") or "[docker" in nodeid:
            return f"containers {zlib.crc32(file.encode()) % self._emulators}"
        return nodeid
