"""The servers of the embedded target together, and the note by which other commands find them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Self

from embedded import leftovers, ministack, pipes, private, saved
from embedded.environment import isolated, variables
from embedded.ports import free_port, is_free
from embedded.processes import POLL_SECONDS, Server, StartupError

STARTUP_SECONDS = 30.0
LOADED_BYTES_A_SECOND = 10_000_000
"""At the least, of what was saved."""
LOCK = "lock"
MINISTACK = "MiniStack"
PORTS = "ports.json"
NEEDED = ("ministack", "eventbridge_pipes")
TRIES = 2
"""Between finding a free port and listening on it another program may take it."""


class NoStackError(Exception):
    """No embedded stack is running in a state folder."""


class AlreadyRunningError(Exception):
    """An embedded stack is running in this state folder."""


class EmbeddedStack:
    """MiniStack and the Pipes service, running while it is entered.

    `variables` are those of the environment that lead every AWS client to them, with `settings`,
    which name and configure the resources. What they keep is in `folder`, and there again the
    next time, on the same ports. `tell` gets a line to print for what is out of the ordinary.
    """

    variables: Mapping[str, str]

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        pause: Callable[[float], object],
        tell: Callable[[str], object],
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        pipes_may_crash: bool = False,
    ) -> None:
        self.folder = folder
        self.kept = True
        """Whether all that it held is saved; known at the end."""
        self._pipes_may_crash = pipes_may_crash
        self._environ = environ
        self._settings = settings
        self._pause = pause
        self._tell = tell
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        """Raises AlreadyRunningError, StartupError, or what `pause` raises to give up."""
        if missing := [name for name in NEEDED if find_spec(name) is None]:
            raise StartupError(
                f"Not installed: {', '.join(missing)}. The embedded target needs "
                "`inventory-stack[embedded]` and the project in services/pipes."
            )
        with ExitStack() as undo:
            private.make_folder(self.folder)
            self.folder.chmod(0o700)  # it may be of an earlier version
            undo.callback(_lock(self.folder))
            if left := leftovers.left(self.folder):
                what = ", ".join(map(leftovers.described, left))
                self._tell(f"Stopping servers that an earlier run left behind: {what}.")
                for file in left:
                    leftovers.end(file)
            undo.callback(_watch(self.folder))
            saved.restore_pipes(self.folder)
            self._ports = _kept_ports(self.folder)
            for tries_left in reversed(range(TRIES)):
                try:
                    undo.callback(self._start().close)
                    break
                except StartupError:
                    if not tries_left:
                        raise
            note = _note(self.folder)
            told = {"pid": os.getpid(), "variables": dict(self.variables)}
            private.write(note, json.dumps(told))
            undo.callback(note.unlink, missing_ok=True)
            self._cleanup = undo.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._cleanup.close()

    @property
    def servers(self) -> list[Server]:
        return [self.emulator, self.pipes]

    def port(self, name: str, first: int | None = None) -> int:
        """A free port for a server: the one that it had the last time, else `first`, else any."""
        port = self._ports.get(name, first)
        if port is None or not is_free(port):
            taken, port = port, free_port()
            if taken is not None:
                self._tell(
                    f"Port {taken} is in use by another program, so {name} uses port {port}."
                )
        self._ports[name] = port
        private.write(self.folder / PORTS, json.dumps(self._ports))
        return port

    def start_pipes(self) -> None:
        """Start the Pipes service, on the port it had if it ran before, and wait for it."""
        self._launch_pipes()
        self._await_pipes()

    def _start(self) -> ExitStack:
        """Both servers, answering; closing what is returned stops them."""
        with ExitStack() as undo:
            port, self._pipes_port = self.port(MINISTACK), self.port("EventBridge Pipes")
            self.variables = {
                **self._settings,
                **variables(ministack.url(port), pipes.url(self._pipes_port)),
            }
            self._environ = isolated(self._environ, self.variables)
            self._served = False
            self.emulator = ministack.start(port, self.folder, self._environ)
            undo.callback(self._end_emulator)
            self._launch_pipes()
            undo.callback(lambda: self.pipes.stop())  # the one that runs then
            loading = saved.size(self.folder) / LOADED_BYTES_A_SECOND
            self._await(self.emulator, lambda: ministack.ready(port), STARTUP_SECONDS + loading)
            self._served = True
            self._await_pipes()
            return undo.pop_all()

    def _launch_pipes(self) -> None:
        self.pipes = pipes.start(
            self._pipes_port, self.folder, self._environ, may_crash=self._pipes_may_crash
        )

    def _await_pipes(self) -> None:
        self._await(self.pipes, lambda: pipes.ready(self._pipes_port), STARTUP_SECONDS)

    def _await(self, server: Server, ready: Callable[[], bool], seconds: float) -> None:
        server.wait_until(ready, seconds, self._pause)

    def _end_emulator(self) -> None:
        """It saves before it ends, however long that takes: until `pause` raises."""
        self.emulator.ask_to_end()
        started = time.monotonic()
        told = False
        try:
            while self.emulator.running:
                if not told and time.monotonic() - started > 1:
                    last = saved.time_of_newest(self.folder) or "the start"
                    self._tell(f"Saving… Ctrl+C stops at once and loses what came after {last}.")
                    told = True
                self._pause(POLL_SECONDS)
        finally:
            self.kept = self.emulator.finished or not self._served
            self.emulator.kill()


def running_variables(state: Path) -> dict[str, str]:
    """The variables of the stack that runs on `state`. Raises NoStackError if none does."""
    note = _note(state)
    if not (note.exists() and leftovers.held(state / LOCK)):
        raise NoStackError(f"No stack is running in {state}.")
    variables: dict[str, str] = json.loads(note.read_text())["variables"]
    return variables


def endpoint_of(folder: Path) -> str | None:
    """Where the stack in the folder is when it runs, or None if it never did."""
    port = _kept_ports(folder).get(MINISTACK)
    return None if port is None else ministack.url(port)


def _kept_ports(folder: Path) -> dict[str, int]:
    """Those that the servers had the last time, by name."""
    try:
        ports: dict[str, int] = json.loads((folder / PORTS).read_text())
    except FileNotFoundError:
        return {}
    return ports


def _watch(folder: Path) -> Callable[[], object]:
    """Let a process end the servers in the folder when this one is gone; returns how to end it."""
    watcher = subprocess.Popen(  # noqa: S603 - our own program, no shell
        [sys.executable, "-m", leftovers.__name__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    return lambda: watcher.communicate(b"")


def _lock(state: Path) -> Callable[[], object]:
    """Hold the folder for this process, which also its sudden end gives up; returns the release."""
    file = private.opened(state / LOCK, "a")
    if not leftovers.claim(file):
        file.close()
        raise AlreadyRunningError(
            f"A stack is already running in {state}. Stop it first, or choose another folder with "
            "--state or INVENTORY_STATE."
        )
    return file.close


def _note(state: Path) -> Path:
    return state / "running.json"
