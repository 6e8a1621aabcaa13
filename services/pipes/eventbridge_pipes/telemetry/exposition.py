"""What the pipes have done, for Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.telemetry.endings import Ending
from eventbridge_pipes.telemetry.tally import Totals

CONTENT_TYPE = CONTENT_TYPE_LATEST

_PREFIX = "eventbridge_pipes_"
_RECORDS: Mapping[str, tuple[str, Callable[[Totals], int]]] = {
    "read": ("Records that came from the source.", lambda totals: totals.read),
    "filtered": ("Records that the filters left out.", lambda totals: totals.filtered),
    "delivered": ("Records that the target took.", lambda totals: totals.delivered),
    "failed": ("Records that were not taken, at each attempt.", lambda totals: totals.failed),
    "dead_lettered": (
        "Records given up on and reported to the dead-letter queue.",
        lambda totals: totals.dead_lettered,
    ),
    "dropped": (
        "Records given up on without a dead-letter queue.",
        lambda totals: totals.dropped,
    ),
}


class PipesCollector(Collector):
    """Asks, when it is asked, what there is to tell: `totals` by pipe, and all the pipes."""

    def __init__(
        self,
        totals: Callable[[], Mapping[str, Totals]],
        pipes: Callable[[], Iterable[Pipe]],
    ) -> None:
        self._totals = totals
        self._pipes = pipes

    def collect(self) -> Iterable[Metric]:
        states = GaugeMetricFamily(
            f"{_PREFIX}pipe_state", "1 for the state that a pipe is in.", labels=["pipe", "state"]
        )
        for pipe in self._pipes():
            states.add_metric([pipe.name, pipe.current], 1)
        yield states
        totals = self._totals()
        yield from _records(totals)
        yield _executions(totals)
        yield _in_flight(totals)
        yield _lags(totals)


class Exposition:
    """A registry of its own with the pipes, and the process: its memory and processor time."""

    def __init__(self, pipes: PipesCollector) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(pipes)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        return generate_latest(self._registry)


def _records(totals: Mapping[str, Totals]) -> Iterable[Metric]:
    for name, (told, count) in _RECORDS.items():
        family = CounterMetricFamily(f"{_PREFIX}records_{name}", told, labels=["pipe"])
        for pipe, of in totals.items():
            family.add_metric([pipe], count(of))
        yield family


def _executions(totals: Mapping[str, Totals]) -> Metric:
    family = CounterMetricFamily(
        f"{_PREFIX}executions",
        "Attempts to bring a batch through the pipe.",
        labels=["pipe", "outcome"],
    )
    for pipe, of in totals.items():
        for how in Ending:
            family.add_metric([pipe, how.name.lower()], of.executions[how])
    return family


def _in_flight(totals: Mapping[str, Totals]) -> Metric:
    family = GaugeMetricFamily(
        f"{_PREFIX}batches_in_flight", "Batches in progress.", labels=["pipe"]
    )
    for pipe, of in totals.items():
        family.add_metric([pipe], of.in_flight)
    return family


def _lags(totals: Mapping[str, Totals]) -> Metric:
    family = GaugeMetricFamily(
        f"{_PREFIX}shard_lag_seconds",
        "How far the pipe is behind the end of the shard.",
        labels=["pipe", "shard"],
    )
    for pipe, of in totals.items():
        for shard, lag in of.lags.items():
            family.add_metric([pipe, shard], lag())
    return family
