"""The telemetry of the pipes: what they count, time and log of their executions.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.log import LOGGER, PipeLog
from eventbridge_pipes.outcome import FailedCall, Outcome, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record, json_array
from eventbridge_pipes.telemetry.cloudwatch import DATA_PER_CALL, NAMESPACE, Statistics, pause_after
from eventbridge_pipes.telemetry.execution_log import ExecutionLog

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

    from eventbridge_pipes.aws.clients import Clients
    from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics

GRACE_SECONDS = 2.0
"""How long the last log records and metrics may take to be written when the service ends."""


class Stage(StrEnum):
    """A stage of an execution."""

    ENRICHMENT = "Enrichment"
    TARGET = "Target"


class Step(StrEnum):
    """What happens in a stage. The stage and the step are a message type of the execution log.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-logs.html#eb-pipes-logs-level
    """

    STAGE_ENTERED = "StageEntered"
    STAGE_SUCCEEDED = "StageSucceeded"
    STAGE_PARTIALLY_FAILED = "StagePartiallyFailed"
    STAGE_FAILED = "StageFailed"
    STAGE_SKIPPED = "StageSkipped"
    TRANSFORMATION_STARTED = "TransformationStarted"
    TRANSFORMATION_SUCCEEDED = "TransformationSucceeded"
    TRANSFORMATION_FAILED = "TransformationFailed"
    INVOCATION_STARTED = "InvocationStarted"
    INVOCATION_SUCCEEDED = "InvocationSucceeded"
    INVOCATION_PARTIALLY_FAILED = "InvocationPartiallyFailed"
    INVOCATION_FAILED = "InvocationFailed"
    INVOCATION_SKIPPED = "InvocationSkipped"


class Ending(StrEnum):
    """How an execution ends. `Execution` and the ending are a message type of the execution log."""

    SUCCEEDED = "Succeeded"
    PARTIALLY_FAILED = "PartiallyFailed"
    FAILED = "Failed"
    THROTTLED = "Throttled"
    TIMED_OUT = "Timeout"


_NO_FAILURE = {f"Execution{how}": 0.0 for how in Ending if how is not Ending.SUCCEEDED}
_NO_STAGE_FAILURE = {
    Stage.ENRICHMENT: {"EnrichmentStageFailed": 0.0},
    Stage.TARGET: {f"TargetStage{how}": 0.0 for how in ("Failed", "PartiallyFailed", "Skipped")},
}
"""Metrics of CloudWatch: 1 for each execution that ended so and 0 for each other one."""


def ending(outcome: Outcome, count: int) -> Ending:
    """Return how an execution of `count` records ended."""
    if not outcome.failed:
        return Ending.SUCCEEDED
    if len(outcome.failed) < count:
        return Ending.PARTIALLY_FAILED
    if outcome.error and outcome.error.throttled:
        return Ending.THROTTLED
    if outcome.error and outcome.error.timed_out:
        return Ending.TIMED_OUT
    return Ending.FAILED


class PipeTelemetry:
    """The telemetry of one pipe, over all its runs. The threads of the pipe share it.

    `prometheus` has the metrics of the process, `account` those of all pipes of the account.
    """

    def __init__(
        self,
        pipe: str,
        prometheus: PrometheusMetrics,
        account: Statistics | None = None,
        execution_log: ExecutionLog | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.pipe = pipe
        self.prometheus = prometheus
        self.statistics = Statistics("PipeName", pipe)
        self.account = account or Statistics("AwsAccountId", "")
        self.execution_log = execution_log
        self.clock = clock
        self.log = PipeLog(pipe)
        # The series are there, with 0, from the start on.
        self.in_flight = self.prometheus.in_flight.labels(pipe)
        self.records = {name: all_.labels(pipe) for name, all_ in self.prometheus.records.items()}
        executions = self.prometheus.executions
        self.executions = {how: executions.labels(pipe, how.name.lower()) for how in Ending}

    def change_log(self, execution_log: ExecutionLog | None) -> None:
        """Write the next executions to `execution_log`, and close the log before it."""
        before, self.execution_log = self.execution_log, execution_log
        if before:
            before.close()

    def read(self, count: int) -> None:
        """Count records that came from the source, before the filters."""
        self.records["read"].inc(count)

    def filtered(self, count: int) -> None:
        """Count records that do not match the filters."""
        self.records["filtered"].inc(count)

    def given_up(self, count: int, dead_lettered: bool) -> None:
        """Count records that are not sent again."""
        self.records["dead_lettered" if dead_lettered else "dropped"].inc(count)

    def execution(self, records: Sequence[Record]) -> ExecutionTelemetry:
        """Start an execution: one attempt to send `records` through the pipe."""
        return ExecutionTelemetry(self, records)

    def shard_begun(self, shard_id: str, lag: Callable[[], float]) -> None:
        """Show the lag of a shard. `lag` returns the current lag in seconds."""
        self.prometheus.lag.labels(self.pipe, shard_id).set_function(lag)

    def shard_ended(self, shard_id: str) -> None:
        """Stop showing the lag of a shard."""
        self.prometheus.lag.remove(self.pipe, shard_id)


class ExecutionTelemetry:
    """One execution. As a context manager it ends with a service error if the code raises.

    The execution log shows requests and responses only if `shows_calls` is true. Of a stage that
    makes several calls it shows the last one.
    """

    def __init__(self, pipe: PipeTelemetry, records: Sequence[Record]) -> None:
        self._pipe = pipe
        self._count = len(records)
        self._size = sum([len(record.body) for record in records])
        self._values: dict[str, float] = {}
        self._entered: float | None = None
        self._ended = False
        self._call: dict[str, Mapping[str, Any]] = {}
        self._execution_log = pipe.execution_log
        self._id = str(uuid.uuid4()) if pipe.execution_log else ""
        self.shows_calls = self._execution_log is not None and self._execution_log.with_data
        self._begun = pipe.clock()
        pipe.in_flight.inc()
        pipe.account.begun()
        if self._execution_log:
            self._execution_log.write(
                self._id, "ExecutionStarted", lambda: json_array(r.body for r in records)
            )

    def __enter__(self) -> ExecutionTelemetry:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if not self._ended:
            reason = f"error in the pipe itself: {error!r}"
            self.ended(all_failed(range(self._count), reason, service_error=True))

    def request(self, parameters: Mapping[str, Any]) -> None:
        """Keep the parameters of a call for the log."""
        self._call = {"awsRequest": parameters}

    def response(self, answer: Mapping[str, Any]) -> None:
        """Keep the response to the call for the log."""
        self._call["awsResponse"] = answer

    def step(
        self,
        stage: Stage,
        step: Step,
        payload: Callable[[], str] | None = None,
        error: FailedCall | None = None,
    ) -> None:
        """Time and log a step. `payload` returns the events at this point as JSON.

        It is called only if the log shows it: at `TRANSFORMATION_SUCCEEDED` and `STAGE_SUCCEEDED`.
        """
        if step is Step.INVOCATION_STARTED:
            self._call = {}
        if step is Step.STAGE_ENTERED:
            self._entered = self._pipe.clock()
        elif step.startswith("Stage"):  # it ends
            if self._entered is not None:
                took = self._pipe.clock() - self._entered
                self._values[f"{stage}StageDuration"] = took * 1000
            self._values |= _NO_STAGE_FAILURE[stage]
            if step is not Step.STAGE_SUCCEEDED:
                self._values[f"{stage}{step}"] = 1
            self._entered = None
        if self._execution_log:
            self._execution_log.write(self._id, f"{stage}{step}", payload, self._call, error)

    def ended(self, outcome: Outcome) -> None:
        """End the execution. Some or all of its records may be sent again."""
        self._ended = True
        pipe, count = self._pipe, self._count
        milliseconds = (pipe.clock() - self._begun) * 1000
        how = ending(outcome, count)
        failed = len(outcome.failed)
        pipe.records["delivered"].inc(count - failed)
        pipe.records["failed"].inc(failed)
        pipe.executions[how].inc()
        pipe.in_flight.dec()
        throttled = 1.0 if how is Ending.THROTTLED else 0.0
        pipe.account.ended({"Invocations": 1, "ExecutionThrottled": throttled})
        values = _NO_FAILURE | self._values
        if how is not Ending.SUCCEEDED:
            values[f"Execution{how}"] = 1
        values |= {"Invocations": 1, "Duration": milliseconds}
        pipe.statistics.add(values | {"EventCount": count, "EventSize": self._size})
        if self._execution_log:
            error = outcome.error
            if outcome.failed and not error:
                error = FailedCall(service="", message=outcome.reason)
            self._execution_log.write(self._id, f"Execution{how}", error=error)
        pipe.log.debug(
            "batch of %d (%d bytes): %s in %.1f ms", count, self._size, how, milliseconds
        )


class Telemetry:
    """The telemetry of all pipes that have started.

    `metrics_interval` is in seconds; 0 puts no metrics to CloudWatch. A thread puts the metrics,
    and each execution log has a thread.
    """

    def __init__(
        self, clients: Clients, prometheus: PrometheusMetrics, metrics_interval: float
    ) -> None:
        self.prometheus = prometheus
        self._clients = clients
        self._interval = metrics_interval
        self._lock = threading.Lock()
        self._pipes: dict[str, PipeTelemetry] = {}
        self._deleted: list[PipeTelemetry] = []  # until their last metrics are put
        self._accounts: dict[str, Statistics] = {}
        self._closing = threading.Event()
        self._publisher = threading.Thread(target=self._publish, name="metrics", daemon=True)
        if metrics_interval:
            self._publisher.start()

    def of(self, pipe: Pipe) -> PipeTelemetry:
        """Return the telemetry of a pipe that starts, with the log that its definition has now."""
        account = Arn.parse(pipe.arn).account
        with self._lock:
            in_account = self._accounts.setdefault(account, Statistics("AwsAccountId", account))
            if pipe.name not in self._pipes:
                self._pipes[pipe.name] = PipeTelemetry(pipe.name, self.prometheus, in_account)
            telemetry = self._pipes[pipe.name]
        log = ExecutionLog(self._clients.logs, pipe) if pipe.log_group_arn else None
        telemetry.change_log(log)
        return telemetry

    def forget(self, name: str) -> None:
        """Remove the metrics of a deleted pipe, once the last ones are put to CloudWatch."""
        with self._lock:
            telemetry = self._pipes.pop(name, None)
            self.prometheus.forget(name)
            if telemetry and self._interval:
                self._deleted.append(telemetry)
        if telemetry:
            telemetry.change_log(None)

    def close(self, grace: float = GRACE_SECONDS) -> None:
        """Write the last log records and metrics, within `grace` seconds."""
        with self._lock:
            logs = [p.execution_log for p in self._pipes.values() if p.execution_log]
        self._closing.set()
        for log in logs:
            log.close()
        deadline = time.monotonic() + grace
        for log in logs:
            log.join(max(0.0, deadline - time.monotonic()))
        if self._interval:
            self._publisher.join(max(0.0, deadline - time.monotonic()))

    def metrics(self) -> list[MetricDatumTypeDef]:
        """Return the metrics for CloudWatch since the last call."""
        now = datetime.now(UTC)
        with self._lock:
            pipes = [*self._pipes.values(), *self._deleted]
            self._deleted = []
            statistics = [*(pipe.statistics for pipe in pipes), *self._accounts.values()]
        return [datum for each in statistics for datum in each.take(now)]

    def _publish(self) -> None:
        """Put the metrics to CloudWatch at each interval and at the end.

        Metrics that cannot be put are lost: AWS's own are best effort too. While CloudWatch does
        not take them, or there is none, the pauses grow. On AWS itself the namespace is reserved.
        """
        failures = 0
        last = False
        while not last:
            last = self._closing.wait(pause_after(failures, self._interval))
            try:
                data = self.metrics()
                for start in range(0, len(data), DATA_PER_CALL):
                    part = data[start : start + DATA_PER_CALL]
                    self._clients.cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=part)
                    if failures:
                        LOGGER.info("putting metrics to CloudWatch again")
                    failures = 0
            except errors.CallError as error:
                failures += 1
                if failures == 1:
                    why = errors.describe(error)
                    LOGGER.warning("cannot put metrics to CloudWatch, retrying: %s", why)
            except Exception:
                failures += 1
                LOGGER.exception("putting metrics failed, retrying")
