"""The pipe: its state from the API of Pipes, and what the Pipes service tells Prometheus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from dashboard.controls.asking import fetch
from dashboard.model.figures import PipeFigures
from dashboard.sources.hub import Hub

if TYPE_CHECKING:
    from mypy_boto3_pipes import EventBridgePipesClient

PREFIX = "eventbridge_pipes_"


class PipeSource:
    """Its state and, where there is a `metrics_url`, its counters."""

    def __init__(
        self, hub: Hub, pipes: EventBridgePipesClient, pipe: str, metrics_url: str | None
    ) -> None:
        self._hub = hub
        self._pipes = pipes
        self._pipe = pipe
        self._metrics_url = metrics_url

    def ask(self) -> None:
        answer = self._pipes.describe_pipe(Name=self._pipe)
        figures = None
        if self._metrics_url:
            figures = figures_of(fetch("GET", self._metrics_url).decode(), answer["Arn"])
        with self._hub.pipeline() as pipeline:
            known = pipeline.figures
            known.pipe_state = answer["CurrentState"]
            known.pipe_reason = answer.get("StateReason", "")
            if known.pipe is not None and figures is not None:
                failed = int(figures.failed - known.pipe.failed)
                pipeline.counts.add(time.time(), {"pipe_failed": max(0, failed)})
            known.pipe = figures


def figures_of(text: str, arn: str) -> PipeFigures:
    """What Prometheus text (of services/pipes) says of a pipe; 0 where it says nothing."""
    _, _, _, region, account, pipe = arn.split(":", 5)
    wanted = {"pipe": pipe.removeprefix("pipe/"), "account": account, "region": region}.items()
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith(PREFIX) and sample.labels.items() >= wanted:
                name = sample.name.removeprefix(PREFIX)
                known = totals.get(name, 0.0)
                is_lag = name == "shard_lag_seconds"
                totals[name] = max(known, sample.value) if is_lag else known + sample.value
    return PipeFigures(
        read=totals.get("records_read_total", 0.0),
        delivered=totals.get("records_delivered_total", 0.0),
        failed=totals.get("records_failed_total", 0.0),
        dead_lettered=totals.get("records_dead_lettered_total", 0.0),
        in_flight=totals.get("batches_in_flight", 0.0),
        lag=totals.get("shard_lag_seconds", 0.0),
    )
