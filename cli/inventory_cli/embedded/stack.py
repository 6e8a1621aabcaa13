"""The servers of the embedded target together, and the note by which other commands find them."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from inventory_cli import private
from inventory_cli.embedded import ministack, pipes
from inventory_cli.embedded.processes import Server, StartupError, free_port
from inventory_cli.environment import isolated, variables

STARTUP_SECONDS = 30.0
TRIES = 2
"""Between finding a free port and listening on it another program may take it."""


class NoStackError(Exception):
    """No embedded stack is running on a state folder."""


class AlreadyRunningError(Exception):
    """An embedded stack is running on this state folder."""


class EmbeddedStack:
    """MiniStack and the Pipes service, running while it is entered.

    `variables` are those of the environment that lead every AWS client to them. What they keep is
    in `state`, and there again the next time.
    """

    variables: Mapping[str, str]

    def __init__(
        self,
        state: Path,
        environ: Mapping[str, str],
        pause: Callable[[float], object],
        *,
        pipes_may_crash: bool = False,
    ) -> None:
        self.state = state
        self._pipes_may_crash = pipes_may_crash
        self._environ = environ
        self._pause = pause
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        """Raises AlreadyRunningError, StartupError, or what `pause` raises to give up."""
        with ExitStack() as undo:
            private.make_folder(self.state)
            self.state.chmod(0o700)  # it may be of an earlier version
            undo.callback(_lock(self.state))
            for left in reversed(range(TRIES)):
                try:
                    undo.callback(self._start().close)
                    break
                except StartupError:
                    if not left:
                        raise
            note = _note(self.state)
            with private.opened(note, "w") as file:
                json.dump({"pid": os.getpid(), "variables": dict(self.variables)}, file)
            undo.callback(note.unlink, missing_ok=True)
            self._cleanup = undo.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._cleanup.close()

    @property
    def servers(self) -> list[Server]:
        return [self.emulator, self.pipes]

    def start_pipes(self) -> None:
        """Start the Pipes service, on the port it had if it ran before, and wait for it."""
        self._launch_pipes()
        self._await_pipes()

    def _start(self) -> ExitStack:
        """Both servers, answering; closing what is returned stops them."""
        with ExitStack() as undo:
            port, self._pipes_port = free_port(), free_port()
            self.variables = variables(ministack.url(port), pipes.url(self._pipes_port))
            self._environ = isolated(self._environ, self.variables)
            self.emulator = ministack.start(port, self.state / "ministack", self._environ)
            undo.callback(self.emulator.stop)
            self._launch_pipes()
            undo.callback(lambda: self.pipes.stop())  # the one that runs then
            self._await(self.emulator, lambda: ministack.ready(port))
            self._await_pipes()
            return undo.pop_all()

    def _launch_pipes(self) -> None:
        self.pipes = pipes.start(
            self._pipes_port,
            self.state / "pipes",
            self._environ,
            may_crash=self._pipes_may_crash,
        )

    def _await_pipes(self) -> None:
        self._await(self.pipes, lambda: pipes.ready(self._pipes_port))

    def _await(self, server: Server, ready: Callable[[], bool]) -> None:
        server.wait_until(ready, STARTUP_SECONDS, self._pause)


def running_variables(state: Path) -> dict[str, str]:
    """The variables of the stack that runs on `state`. Raises NoStackError if none does."""
    try:
        note = json.loads(_note(state).read_text())
        _lock(state)()
    except AlreadyRunningError:
        variables: dict[str, str] = note["variables"]
        return variables
    except FileNotFoundError:
        pass
    raise NoStackError(f"no stack is running on {state}: start one with `inventory up`")


def _lock(state: Path) -> Callable[[], object]:
    """Hold the folder for this process, which also its sudden end gives up; returns the release."""
    file = private.opened(state / "lock", "a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunningError(
            f"a stack is running on {state} already: stop it first, or name another folder "
            "with --state"
        ) from None
    return file.close


def _note(state: Path) -> Path:
    return state / "running.json"
