"""Saves what MiniStack holds, while it runs and when it ends.

On its own MiniStack writes a file for each service, at its end only, one after the other. Here a
copy of its process (a fork, which holds everything as it is at that moment) writes a whole state
while the process itself goes on.
"""

from __future__ import annotations

import copy
import json
import multiprocessing
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

INTERVAL_SECONDS = 60.0
SHARE = 20
"""Of the time, at most one part in so many is spent saving."""

TRIES = 3
"""A copy may wait for ever for a lock that another thread held when it was made."""

LONGEST_SECONDS = 120.0

Services = Mapping[str, Callable[[], Any]]
"""For the name of each service's file, the function that returns what the service holds."""

ONE_AT_A_TIME = threading.Lock()


def start(folder: Path) -> None:
    """Save into `folder` what this process and the Pipes service beside it hold.

    This happens at intervals, and in place of MiniStack's own saving at its end.
    """
    app.save_all = partial(_at_the_end, folder)
    threading.Thread(target=_at_intervals, args=(folder,), name="saver", daemon=True).start()


def _at_intervals(folder: Path) -> None:
    interval = INTERVAL_SECONDS
    while True:
        time.sleep(interval)
        started = time.monotonic()
        # On the thread that handles requests, so that none is using what is trimmed.
        app._MAIN_LOOP.call_soon_threadsafe(trim, time.time())
        _save(folder, app._build_persistence_save_dict())
        interval = max(INTERVAL_SECONDS, SHARE * (time.monotonic() - started))


def _at_the_end(folder: Path, services: Services) -> None:
    """End the process, whose functions may still run. Exit code 0 means that it is saved."""
    trim(time.time())
    is_saved = _save(folder, services)
    app._stop_docker_containers()
    os._exit(0 if is_saved else 1)


def _save(folder: Path, services: Services) -> bool:
    with ONE_AT_A_TIME:
        try:
            return any(_save_once(folder, services) for _ in range(TRIES))
        except Exception as error:  # the next try may succeed, and the end must not wait
            print(f"not saved: {error!r}", file=sys.stderr, flush=True)
            return False


def _save_once(folder: Path, services: Services) -> bool:
    arguments = (services, folder, saved.copy_pipes(folder))
    process = multiprocessing.get_context("fork").Process(target=_write, args=arguments)
    process.start()
    process.join(LONGEST_SECONDS)
    process.kill()
    process.join()
    return process.exitcode == 0


def _as_it_is(value: Any, memo: Any = None) -> Any:
    """In a copy of the process nothing changes, so services need not copy what they hold."""
    return value


def _write(services: Services, folder: Path, pipes: Path | None) -> None:
    copy.deepcopy = _as_it_is  # type: ignore[assignment]
    with saved.new_state(folder, pipes) as state:
        part = saved.emulator_part(state)
        lambda_svc.CODE_BLOB_DIR = str(part / "lambda-blobs")
        for name, held in services.items():
            payload = {
                "__ministack_format__": persistence._state_format_version(name),
                "payload": held(),
            }
            # In one piece: json.dump is several times slower.
            text = json.dumps(payload, default=persistence._json_default)
            (part / f"{name}.json").write_text(text)
