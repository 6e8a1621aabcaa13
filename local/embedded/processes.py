"""Server processes: start one, wait until it answers, stop it and all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from embedded import leftovers, private
from embedded.interrupts import held_back

POLL_SECONDS = 0.02
WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StartupError(Exception):
    """A server did not start. The message says which, why, and where its log is."""


class Server:
    """A child process in a process group of its own, so that stopping it takes its children too.

    Its output goes to a log file. Being in another group, it does not see the terminal's Ctrl+C:
    the program that started it decides when it stops.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    def start(cls, name: str, argv: Sequence[str], env: Mapping[str, str], log: Path) -> Self:
        """Raises StartupError if a server with the same log runs."""
        private.make_folder(log.parent)
        with (
            private.opened(log, "ab") as output,
            private.opened(log.with_suffix(leftovers.SUFFIX), "a") as pid,
        ):
            if not leftovers.claim(pid):
                raise StartupError(
                    f"{name} is already running. Stop the process that has {pid.name} open."
                )
            with held_back():  # nobody could end a server whose id is not known yet
                process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                    argv,
                    env=dict(env),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    umask=private.UMASK,
                    pass_fds=[pid.fileno()],
                )
                pid.write(f"{process.pid}\n")
                pid.flush()
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def finished(self) -> bool:
        """Whether it has ended as it should."""
        return self._process.poll() == 0

    @property
    def failed(self) -> bool:
        """Whether it has ended by itself with an error."""
        return self._process.poll() == 1

    @property
    def killed(self) -> bool:
        """Whether SIGKILL has ended it."""
        return self._process.poll() == -signal.SIGKILL

    def wait_until(
        self,
        ready: Callable[[], bool],
        timeout: float,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """Return once `ready()` is true. `pause` waits between two looks, and may raise.

        Raises StartupError if the process ends first or `timeout` seconds have passed.
        """
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.running or time.monotonic() > deadline:
                problem = (
                    f"was not ready after {timeout:g} s"
                    if self.running
                    else f"ended with exit code {self._process.returncode} before it was ready"
                )
                raise StartupError(f"{self.name} {problem}: {self.last_line()} (log: {self.log})")
            pause(POLL_SECONDS)

    def ask_to_end(self) -> None:
        if self.running:
            self._process.terminate()

    def stop(self, grace: float = 10.0) -> None:
        """Ask it to end, wait up to `grace` seconds, then end what is left of its group."""
        self.ask_to_end()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self.kill()

    def kill(self) -> None:
        """End it, and all of its group, at once (SIGKILL)."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def last_line(self) -> str:
        """Return the last line of its log."""
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "no output")


def answers(url: str, timeout: float = 1.0) -> bool:
    """Whether a GET of `url` is answered with a 2xx status within `timeout` seconds."""
    try:
        with WITHOUT_PROXY.open(url, timeout=timeout):
            return True
    except OSError:
        return False
