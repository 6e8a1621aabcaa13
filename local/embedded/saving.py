"""What MiniStack holds, saved while it runs and when it ends.

As it comes, MiniStack writes a file for each service, at its end only, one after the other. Here a
copy of its process (a fork, which holds everything as it is at that moment) writes a whole state
while the process itself goes on. How long that takes says how often it is done.
"""

from __future__ import annotations

import copy
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import persistence
from ministack.services import lambda_svc

from embedded import saved
from embedded.trimming import trim

SHORTEST_INTERVAL_SECONDS = 60.0
SHARE = 20
"""Of the time, at most one part in so many is spent saving."""

TRIES = 3
"""A copy may wait for ever for a lock that another thread held when it was made."""

LONGEST_SECONDS = 120.0
POLL_SECONDS = 0.02

Services = Mapping[str, Callable[[], Any]]
"""By the names of their files, the functions that return what they hold."""


class NotSavedError(Exception):
    """No state was written; the last one is as it was."""


class Saver:
    """Saves what this process and the Pipes service beside it hold into `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one_at_a_time = threading.Lock()

    def start(self) -> None:
        """Save now and then from now on, and instead of MiniStack at its end."""
        app.save_all = self._at_the_end
        threading.Thread(target=self._now_and_then, name="saver", daemon=True).start()

    def _now_and_then(self) -> None:
        interval = SHORTEST_INTERVAL_SECONDS
        while True:
            time.sleep(interval)
            started = time.monotonic()
            # Where requests are handled: none is in the middle of what is trimmed.
            app._MAIN_LOOP.call_soon_threadsafe(trim, time.time())
            try:
                self._save(app._build_persistence_save_dict())
            except Exception as error:  # whatever it was, the next time may be better
                print(f"not saved: {error!r}", file=sys.stderr, flush=True)
            interval = max(SHORTEST_INTERVAL_SECONDS, SHARE * (time.monotonic() - started))

    def _at_the_end(self, services: Services) -> None:
        """Ends the process, whose functions may be at work still: exit code 0 says it is saved."""
        try:
            trim(time.time())
            self._save(services)
        except Exception as error:  # whatever it was, the process has to end
            print(f"not saved: {error!r}", file=sys.stderr, flush=True)
            os._exit(1)
        app._stop_docker_containers()
        os._exit(0)

    def _save(self, services: Services) -> None:
        with self._one_at_a_time:
            for _ in range(TRIES):
                pipes = saved.copy_pipes(self._folder)
                if _in_a_copy(partial(_write, services, self._folder, pipes)):
                    return
        raise NotSavedError(f"{TRIES} tries failed, see above")


def _in_a_copy(work: Callable[[], None]) -> bool:
    """Whether a copy of this process did the work."""
    if not (child := os.fork()):
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:  # nothing may go on from here in the copy
            os.write(2, f"saving: {error!r}\n".encode())
        finally:
            os._exit(code)
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status == 0
        time.sleep(POLL_SECONDS)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def _as_it_is(value: Any, memo: Any = None) -> Any:
    """In a copy of the process nothing changes: what services copy first, they can as well give."""
    return value


def _write(services: Services, folder: Path, pipes: Path | None) -> None:
    copy.deepcopy = _as_it_is  # type: ignore[assignment]
    with saved.new_state(folder, pipes) as state:
        part = saved.emulator_part(state)
        lambda_svc.CODE_BLOB_DIR = str(part / "lambda-blobs")
        for name, held in services.items():
            if (content := held()) is None:
                continue  # it says so when it cannot tell: what was saved of it stays
            payload = {
                "__ministack_format__": persistence._state_format_version(name),
                "payload": content,
            }
            # In one piece: json.dump is several times slower.
            text = json.dumps(payload, default=persistence._json_default)
            file = part / f"{name}.json"
            file.unlink(missing_ok=True)
            file.write_text(text)
