"""The metrics of the process, for Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.metrics import disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.pipe import Pipe

_RECORDS = {
    "read": "Records that came from the source.",
    "filtered": "Records that the filters left out.",
    "delivered": "Records that the target took.",
    "failed": "Records that were not taken, at each attempt.",
    "dead_lettered": "Records given up on and reported to the dead-letter queue.",
    "dropped": "Records given up on without a dead-letter queue.",
}

_PIPE = ("pipe", "account", "region")
"""The labels that name a pipe."""

disable_created_metrics()  # type: ignore[no-untyped-call]


def labels(arn: str) -> tuple[str, str, str]:
    """Return the values of the labels that name a pipe."""
    pipe = Arn.parse(arn)
    return pipe.name, pipe.account, pipe.region


class PrometheusMetrics:
    """The metrics of all pipes, and the memory and processor time of the process.

    `pipes` returns all pipes, for their states.
    """

    def __init__(self, pipes: Callable[[], Iterable[Pipe]] = tuple) -> None:
        self._pipes = pipes
        self._lock = threading.Lock()
        self.registry = CollectorRegistry()
        gauge = partial(Gauge, namespace="eventbridge_pipes", registry=self.registry)
        counter = partial(Counter, namespace="eventbridge_pipes", registry=self.registry)
        states = "1 for the state that a pipe is in."
        self.states = gauge("pipe_state", states, [*_PIPE, "state"])
        # Collected before the counters: when no batch is in flight, they have counted them all.
        self.in_flight = gauge("batches_in_flight", "Batches in progress.", _PIPE)
        self.records = {n: counter(f"records_{n}", text, _PIPE) for n, text in _RECORDS.items()}
        executions = "Attempts to bring a batch through the pipe."
        self.executions = counter("executions", executions, [*_PIPE, "outcome"])
        lag = "How far the pipe is behind the end of the shard."
        self.lag = gauge("shard_lag_seconds", lag, [*_PIPE, "shard"])
        warnings = (
            "1 if the pipe has warned since it started: AWS may not deliver as this service does."
        )
        self.warnings = gauge("warnings", warnings, [*_PIPE, "warning"])
        ProcessCollector(registry=self.registry)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        with self._lock:
            self.states.clear()
            for pipe in self._pipes():
                self.states.labels(*labels(pipe.arn), pipe.current).set(1)
            return generate_latest(self.registry)

    def forget(self, arn: str) -> None:
        """Remove the series of a deleted pipe."""
        families = (self.in_flight, self.executions, self.lag, self.warnings)
        for family in (*families, *self.records.values()):
            family.remove_by_labels(dict(zip(_PIPE, labels(arn), strict=True)))
