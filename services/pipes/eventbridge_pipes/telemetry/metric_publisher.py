"""Puts the metrics to CloudWatch, every few seconds, when there are any."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from eventbridge_pipes.aws import errors
from eventbridge_pipes.log import LOGGER

Datum = TypeVar("Datum")

DATA_PER_CALL = 500
"""Half of what PutMetricData takes, for its limit of 1 MB holds before compression."""

LONGEST_PAUSE = 600.0


class MetricPublisher(Generic[Datum]):
    """Calls `collect` for what happened since, and `put` with it, every `interval` seconds.

    What cannot be put is lost, for AWS's metrics are best effort too, and there may be no
    CloudWatch at all: then it is tried less and less often. On AWS itself, namespaces that begin
    with `AWS/` are reserved, and CloudWatch would refuse these.
    """

    def __init__(
        self,
        collect: Callable[[], Sequence[Datum]],
        put: Callable[[list[Datum]], object],
        interval: float,
    ) -> None:
        self._collect = collect
        self._put = put
        self._interval = interval
        self._failures = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Have what happened since the last time put, and the thread ended. Returns at once."""
        self._closing.set()

    def join(self, timeout: float) -> None:
        """Wait for the end, `timeout` seconds at most."""
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._closing.wait(pause_after(self._failures, self._interval)):
            self._publish()
        self._publish()

    def _publish(self) -> None:
        try:
            data = iter(self._collect())
            while part := list(islice(data, DATA_PER_CALL)):
                self._put(part)
                self._succeeded()
        except errors.CallError as error:
            self._failures += 1
            if self._failures == 1:
                LOGGER.warning(
                    "cannot put metrics to CloudWatch, retrying: %s", errors.describe(error)
                )
        except Exception:
            self._failures += 1
            LOGGER.exception("putting metrics failed, retrying")

    def _succeeded(self) -> None:
        if self._failures:
            LOGGER.info("putting metrics to CloudWatch again")
        self._failures = 0


def pause_after(failures: int, interval: float) -> float:
    """Seconds until the next try: doubling with each failure, up to ten minutes."""
    return max(interval, min(LONGEST_PAUSE, interval * 2.0 ** min(failures, 16)))
