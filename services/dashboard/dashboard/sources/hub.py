"""The pipeline, for several threads: sources report to it, pages read from it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from dashboard.controls.asking import ControlError
from dashboard.model.pipeline import Pipeline
from inventory.event import InvalidEventError
from inventory_aws.sender import SendingError

LONGEST_PAUSE = 4.0
EXPECTED = (ControlError, InvalidEventError, SendingError, ClientError, BotoCoreError)
"""Errors that `in_words` can explain."""

_log = logging.getLogger(__name__)


class Hub:
    """One thread at a time has the pipeline, for as long as a fold or a look takes."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._lock = threading.Lock()

    @contextmanager
    def pipeline(self) -> Iterator[Pipeline]:
        with self._lock:
            yield self._pipeline


class Watcher:
    """Asks a source again and again, in a thread of its own, and says when it gives no answer.

    `node` is the one that is not reachable then.
    """

    def __init__(self, hub: Hub, node: str, interval: float, ask: Callable[[], object]) -> None:
        self._hub = hub
        self._node = node
        self._interval = interval
        self._ask = ask
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch-{node}", daemon=True)

    def start(self) -> None:
        with self._hub.pipeline() as pipeline:
            pipeline.figures.answered_at[self._node] = time.time()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                self._ask()
                failures = 0
                self._report(None)
            except Exception as error:  # whatever it is, the page says so and the others go on
                failures += 1
                if failures == 1 and not isinstance(error, EXPECTED):
                    _log.error("Cannot read the figures of %s", self._node, exc_info=error)
                self._report(error)
            pause = min(self._interval * 2 ** min(failures, 4), max(LONGEST_PAUSE, self._interval))
            self._stopped.wait(max(0.1, pause - (time.monotonic() - began)))

    def _report(self, error: Exception | None) -> None:
        with self._hub.pipeline() as pipeline:
            figures = pipeline.figures
            if error is None or isinstance(error, ClientError):
                figures.answered_at[self._node] = time.time()
            if error is None:
                figures.trouble.pop(self._node, None)
            else:
                figures.trouble[self._node] = in_words(error)


def in_words(error: Exception) -> str:
    """Return what went wrong in a few words that fit a small box, without Python's own text."""
    match error:
        case ClientError():
            answer = error.response.get("Error", {})
            code, message = answer.get("Code", "an error"), answer.get("Message", "")
            said = f"{error.operation_name} failed with {code}: {message}"
        case ConnectionError() | HTTPClientError():
            url = str(dict(error.kwargs).get("endpoint_url", ""))
            said = f"no answer at {urlsplit(url).netloc}" if url else "no answer"
        case _ if isinstance(error, EXPECTED):
            said = str(error)
        case _:
            said = "unexpected error; see the dashboard's log"
    return " ".join(said.split())[:300]
