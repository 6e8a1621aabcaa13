"""The pipeline for several threads: sources report to it, pages read from it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from dashboard.controls.actions import ControlError
from dashboard.model.pipeline import Pipeline
from inventory.event import InvalidEventError
from inventory_aws.errors import explain
from inventory_aws.sender import SendingError
from operations.table_stream import NoStreamError

AWS_ERRORS = (BotoCoreError, ClientError, NoStreamError, SendingError)
EXPECTED = (*AWS_ERRORS, ControlError, InvalidEventError)
"""Errors whose text users understand."""

_log = logging.getLogger(__name__)


class Hub:
    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._lock = threading.Lock()

    @contextmanager
    def pipeline(self) -> Iterator[Pipeline]:
        """Lock the pipeline for this thread."""
        with self._lock:
            yield self._pipeline


def watch(hub: Hub, node: str, interval: float, read: Callable[[], object]) -> None:
    """Call `read` every `interval` seconds, in a thread of its own."""

    def run() -> None:
        while True:
            began = time.monotonic()
            read_once(hub, node, read)
            time.sleep(max(0.1, interval - (time.monotonic() - began)))

    with hub.pipeline() as pipeline:
        pipeline.figures.answered_at[node] = time.time()
    threading.Thread(target=run, name=f"watch-{node}", daemon=True).start()


def read_once(hub: Hub, node: str, read: Callable[[], object]) -> None:
    """Call `read`. If it fails, the node shows why, and the other sources go on."""
    failure = None
    try:
        read()
    except Exception as error:
        failure = error
    with hub.pipeline() as pipeline:
        figures = pipeline.figures
        before = figures.trouble.pop(node, None)
        if failure is not None:
            figures.trouble[node] = in_words(failure)
        if failure is None or isinstance(failure, ClientError):
            figures.answered_at[node] = time.time()
    if failure is not None and before is None and not isinstance(failure, EXPECTED):
        _log.error("Cannot read the figures of %s", node, exc_info=failure)


def in_words(error: Exception) -> str:
    """Return what went wrong in a few words that fit a small box, without Python's own text."""
    match error:
        case ConnectionError() | HTTPClientError():
            url = str(dict(error.kwargs).get("endpoint_url", ""))
            text = f"no answer at {urlsplit(url).netloc}" if url else "no answer"
        case _ if isinstance(error, EXPECTED):
            text = explain(error)
        case _:
            text = "unexpected error; see the dashboard's log"
    return " ".join(text.split())[:300]
