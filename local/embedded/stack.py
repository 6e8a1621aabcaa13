"""The servers of the embedded target together, and the note by which other commands find them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from embedded import leftovers, ministack, pipes, private, saved
from embedded.environment import isolated, variables
from embedded.ports import free_port, is_free
from embedded.processes import POLL_SECONDS, Server, StartupError

STARTUP_SECONDS = 60.0
SAVING_IS_TOLD_AFTER_SECONDS = 1.0
LOCK = "lock"
NOTE = "running.json"
PORTS = "ports.json"
MINISTACK = "MiniStack"
NEEDED = ("ministack", "eventbridge_pipes")


class NoStackError(Exception):
    """No embedded stack is running in a state folder."""


class AlreadyRunningError(Exception):
    """An embedded stack is running in this state folder."""


class EmbeddedStack:
    """MiniStack and the Pipes service, running while it is entered.

    `variables` lead every AWS client to them, and contain `settings`, which configure the
    resources. Their data is in `folder`. The next start there has it again, on the same ports.
    `tell` gets a line to print for what is out of the ordinary.
    """

    variables: Mapping[str, str]

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        pause: Callable[[float], object],
        tell: Callable[[str], object],
        *,
        settings: Mapping[str, str] | None = None,
        pipes_may_crash: bool = False,
    ) -> None:
        self.folder = folder
        self.kept = True
        """Whether all its data is saved. This is known at the end."""
        self._pipes_may_crash = pipes_may_crash
        self._environ = environ
        self._settings = settings or {}
        self._pause = pause
        self._tell = tell
        self._served = False
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
            lock = undo.enter_context(private.opened(self.folder / LOCK, "a"))
            if not leftovers.claim(lock):
                raise AlreadyRunningError(
                    f"A stack is already running in {self.folder}. Stop it first, or choose "
                    "another folder with --state or INVENTORY_STATE."
                )
            if left := leftovers.find(self.folder):
                self._tell("Stopping servers that an earlier run left behind.")
                for file in left:
                    leftovers.end(file)
            undo.callback(_watch(self.folder))
            saved.restore_pipes(self.folder)
            self._ports = _last_ports(self.folder)
            self._start(undo)
            note = self.folder / NOTE
            private.write(note, json.dumps(dict(self.variables)))
            undo.callback(note.unlink, missing_ok=True)
            self._cleanup = undo.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._cleanup.close()

    @property
    def servers(self) -> list[Server]:
        return [self.emulator, self.pipes]

    def port(self, name: str, first: int | None = None) -> int:
        """Return a free port for a server: the last one that it had, else `first`, else any."""
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
        """Start the Pipes service again, on the port that it had, and wait for it."""
        self._launch_pipes()
        self._await_pipes()

    def _start(self, undo: ExitStack) -> None:
        """Start both servers at the same time, and wait until they answer."""
        port, self._pipes_port = self.port(MINISTACK), self.port("EventBridge Pipes")
        endpoints = variables(ministack.url(port), pipes.url(self._pipes_port))
        self.variables = {**self._settings, **endpoints}
        self._environ = isolated(self._environ, self.variables)
        self.emulator = ministack.start(port, self.folder, self._environ)
        undo.callback(self._end_emulator)
        self._launch_pipes()
        undo.callback(lambda: self.pipes.stop())  # the process that runs then
        self.emulator.wait_until(lambda: ministack.ready(port), STARTUP_SECONDS, self._pause)
        self._served = True
        self._await_pipes()

    def _launch_pipes(self) -> None:
        self.pipes = pipes.start(
            self._pipes_port, self.folder, self._environ, may_crash=self._pipes_may_crash
        )

    def _await_pipes(self) -> None:
        self.pipes.wait_until(lambda: pipes.ready(self._pipes_port), STARTUP_SECONDS, self._pause)

    def _end_emulator(self) -> None:
        """Wait until it has saved, however long that takes, or until `pause` raises."""
        self.emulator.ask_to_end()
        tell_at = time.monotonic() + SAVING_IS_TOLD_AFTER_SECONDS
        told = False
        try:
            while self.emulator.running:
                if not told and time.monotonic() > tell_at:
                    last = saved.time_of_newest(self.folder) or "the start"
                    self._tell(f"Saving… Ctrl+C stops at once and loses what came after {last}.")
                    told = True
                self._pause(POLL_SECONDS)
        finally:
            self.kept = self.emulator.finished or not self._served
            self.emulator.kill()


def running_variables(folder: Path) -> dict[str, str]:
    """Return the variables of the stack that runs in the folder. Raises NoStackError if none."""
    note = folder / NOTE
    if not (note.exists() and leftovers.is_held(folder / LOCK)):
        raise NoStackError(f"No stack is running in {folder}.")
    variables: dict[str, str] = json.loads(note.read_text())
    return variables


def endpoint_of(folder: Path) -> str | None:
    """Return where MiniStack is if the stack in the folder runs. None if it never ran."""
    port = _last_ports(folder).get(MINISTACK)
    return None if port is None else ministack.url(port)


def _last_ports(folder: Path) -> dict[str, int]:
    """Return the ports that the servers had the last time, by name."""
    try:
        ports: dict[str, int] = json.loads((folder / PORTS).read_text())
    except FileNotFoundError:
        return {}
    return ports


def _watch(folder: Path) -> Callable[[], object]:
    """Let a process end the servers in the folder when this one is gone. Return how to end it."""
    watcher = subprocess.Popen(  # noqa: S603 - our own program, no shell
        [sys.executable, "-m", leftovers.__name__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    return lambda: watcher.communicate(b"")
