"""The watches of all pipes of the service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.telemetry.execution_log import ExecutionLog
from eventbridge_pipes.telemetry.exposition import Exposition, PipesCollector
from eventbridge_pipes.telemetry.log_group import LogGroup
from eventbridge_pipes.telemetry.log_records import Level
from eventbridge_pipes.telemetry.metric_publisher import MetricPublisher
from eventbridge_pipes.telemetry.metrics import NAMESPACE, account_metrics, pipe_metrics
from eventbridge_pipes.telemetry.tally import Concurrency, Tally, Totals
from eventbridge_pipes.telemetry.watcher import PipeWatch

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

GRACE_SECONDS = 2.0
"""How long the last log records and metrics may take to be written when the service ends."""


class Watchers:
    """Makes the watch of each pipe that starts, and keeps what its watches counted.

    `metrics_interval` is in seconds; with 0 there are no metrics in CloudWatch. Each execution log
    has a thread of its own, and the metrics have one.
    """

    def __init__(
        self,
        clients: Clients,
        pipes: Callable[[], Iterable[Pipe]],
        metrics_interval: float,
    ) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._tallies: dict[str, tuple[str, Tally]] = {}
        # What was counted of deleted pipes since the metrics were last put.
        self._departed: list[tuple[str, tuple[str, Tally]]] = []
        self._concurrency: dict[str, Concurrency] = {}
        self._log_groups: dict[str, LogGroup] = {}
        self.exposition = Exposition(PipesCollector(self._totals, pipes))
        self._publishers: list[MetricPublisher[Any]] = []
        if metrics_interval:
            publisher = MetricPublisher(self.metrics, self._put_metrics, metrics_interval)
            self._publishers.append(publisher)

    def of(self, pipe: Pipe) -> PipeWatch:
        """The watch of a pipe that starts; its log is as the pipe's definition has it now."""
        log = PipeLog(pipe.name)
        account = Arn.parse(pipe.arn).account
        with self._lock:
            _, tally = self._tallies.setdefault(pipe.name, (account, Tally()))
            concurrency = self._concurrency.setdefault(account, Concurrency())
        return PipeWatch(tally, concurrency, self._execution_log(pipe, log), log)

    def forget(self, name: str) -> None:
        """The pipe is deleted: tell no more of it, once its log and metrics are written."""
        self._close_log(name)
        with self._lock:
            counted = self._tallies.pop(name, None)
            if counted and self._publishers:
                self._departed.append((name, counted))

    def close(self, grace: float = GRACE_SECONDS) -> None:
        """Write what is left, within `grace` seconds."""
        with self._lock:
            writers: list[LogGroup | MetricPublisher[Any]] = [
                *self._log_groups.values(),
                *self._publishers,
            ]
        for writer in writers:
            writer.close()
        deadline = time.monotonic() + grace
        for writer in writers:
            writer.join(max(0.0, deadline - time.monotonic()))

    def metrics(self) -> list[MetricDatumTypeDef]:
        """What happened since the last call, as CloudWatch takes it."""
        now = datetime.now(UTC)
        with self._lock:
            watched = [*self._tallies.items(), *self._departed]
            self._departed = []
            accounts = list(self._concurrency.items())
        done = [(account, name, tally.take_activity()) for name, (account, tally) in watched]
        data = [datum for _, name, activity in done for datum in pipe_metrics(name, activity, now)]
        for account, concurrency in accounts:
            activities = [activity for of, _, activity in done if of == account]
            data += account_metrics(account, activities, concurrency.take(), now)
        return data

    def _put_metrics(self, data: list[MetricDatumTypeDef]) -> None:
        self._clients.cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)

    def _totals(self) -> Mapping[str, Totals]:
        with self._lock:
            return {name: tally.totals() for name, (_, tally) in self._tallies.items()}

    def _execution_log(self, pipe: Pipe, log: PipeLog) -> ExecutionLog | None:
        """The log that the pipe is to have, in place of the one it had."""
        self._close_log(pipe.name)
        if not pipe.log_configuration or not pipe.log_group_arn:
            return None
        group = LogGroup(self._clients.logs, pipe.log_group_arn, pipe.name, log)
        with self._lock:
            self._log_groups[pipe.name] = group
        level = Level[pipe.log_configuration["Level"]]
        with_data = "ALL" in pipe.log_configuration.get("IncludeExecutionData", ())
        return ExecutionLog(pipe.arn, level, with_data, group)

    def _close_log(self, name: str) -> None:
        with self._lock:
            group = self._log_groups.pop(name, None)
        if group:
            group.close()
