"""The telemetry of the pipes: what they count, time and log of their executions.

The metrics for CloudWatch are those that AWS's Pipes put there:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from eventbridge_pipes.arn import Arn, Scope
from eventbridge_pipes.aws import errors
from eventbridge_pipes.log import LOGGER, PipeLog
from eventbridge_pipes.outcome import FailedCall, Outcome
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record, json_array
from eventbridge_pipes.telemetry.execution_log import ExecutionLog
from eventbridge_pipes.template_warning import WarningKind

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef, StatisticSetTypeDef

    from eventbridge_pipes.aws.clients import AwsClients
    from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
GRACE_SECONDS = 2.0
"""How long the last log records and metrics may take to be written when the service ends."""

NAMESPACE = "AWS/EventBridge/Pipes"

DATA_PER_CALL = 500
"""Half of what PutMetricData takes, for its limit of 1 MB holds before compression."""

LONGEST_PAUSE = 600.0

_UNITS: Mapping[str, StandardUnitType] = {"EventSize": "Bytes", "TargetStageSkipped": "Count"}
"""Durations are in milliseconds; the other metrics have no unit, as on AWS."""


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


class CloudWatchMetrics:
    """The values of the metrics of all pipes and of their accounts since they were last taken.

    Each account has its own metrics in each Region.

    A metric that counts failures has the value 1 for each execution that failed and 0 for each
    other one: its sum is their number, and its average is their share.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._in_flight: Counter[Scope] = Counter()
        self._sets: dict[tuple[Scope, str, str], dict[str, StatisticSetTypeDef]] = {}

    def begun(self, scope: Scope) -> None:
        """Count an execution that begins, for the metric of how many run at once."""
        with self._lock:
            self._in_flight[scope] += 1
            concurrency = {"Concurrency": self._in_flight[scope]}
            self.add(scope, "AwsAccountId", scope.account, concurrency)

    def ended(self, scope: Scope, pipe: str, values: Mapping[str, float]) -> None:
        """Add the values of an execution that has ended to those of its pipe and its account."""
        of_account = {"Invocations": 1, "ExecutionThrottled": values["ExecutionThrottled"]}
        with self._lock:
            self._in_flight[scope] -= 1
            self.add(scope, "PipeName", pipe, values)
            self.add(scope, "AwsAccountId", scope.account, of_account)

    def add(self, scope: Scope, dimension: str, of: str, values: Mapping[str, float]) -> None:
        """Add a value to each of these metrics, whose dimension has the value `of`."""
        with self._lock:
            sets = self._sets.setdefault((scope, dimension, of), {})
            for name, value in values.items():
                if name not in sets:
                    sets[name] = {"SampleCount": 0, "Sum": 0, "Minimum": value, "Maximum": value}
                statistics = sets[name]
                statistics["SampleCount"] += 1
                statistics["Sum"] += value
                if value < statistics["Minimum"]:
                    statistics["Minimum"] = value
                elif value > statistics["Maximum"]:
                    statistics["Maximum"] = value

    def take(self) -> dict[Scope, list[MetricDatumTypeDef]]:
        """Return the metrics since the last call: none if nothing happened."""
        now = datetime.now(UTC)
        with self._lock:
            taken, self._sets = self._sets, {}
        data: dict[Scope, list[MetricDatumTypeDef]] = {}
        for (scope, dimension, of), sets in taken.items():
            data.setdefault(scope, []).extend(
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": dimension, "Value": of}],
                    "Timestamp": now,
                    "Unit": "Milliseconds"
                    if name.endswith("Duration")
                    else _UNITS.get(name, "None"),
                    "StatisticValues": values,
                }
                for name, values in sets.items()
            )
        return data


def pause_after(failures: int, interval: float) -> float:
    """Return the seconds until the next try: doubling with each failure, up to ten minutes."""
    return max(interval, min(LONGEST_PAUSE, interval * 2.0 ** min(failures, 16)))


@dataclass(eq=False)
class PipeTelemetry:
    """The telemetry of one pipe, over all its runs. The threads of the pipe share it.

    `arn` is that of the pipe.

    `prometheus` and `cloudwatch` have the metrics of all pipes. Without `cloudwatch` there are none
    for CloudWatch.
    """

    arn: str
    prometheus: PrometheusMetrics
    cloudwatch: CloudWatchMetrics | None = None
    execution_log: ExecutionLog | None = None
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        prometheus = self.prometheus
        self.log = PipeLog(self.arn)
        self.name = Arn.parse(self.arn).name
        self.scope = Arn.parse(self.arn).scope
        # The series are there, with 0, from the start on.
        pipe = self._labels = (self.name, *self.scope)
        self.in_flight = prometheus.in_flight.labels(*pipe)
        self.records = {which: all_.labels(*pipe) for which, all_ in prometheus.records.items()}
        executions = prometheus.executions
        self.executions = {how: executions.labels(*pipe, how.name.lower()) for how in Ending}
        self.warnings = {kind: prometheus.warnings.labels(*pipe, kind) for kind in WarningKind}

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

    def warn(self, warning: WarningKind, text: str) -> None:
        """Log a warning about the pipe, and show it until the pipe starts again."""
        self.log.warning("%s", text)
        self.warnings[warning].set(1)

    def execution(self, records: Sequence[Record]) -> ExecutionTelemetry:
        """Start an execution: one attempt to send `records` through the pipe."""
        return ExecutionTelemetry(self, records)

    def shard_begun(self, shard_id: str, lag: Callable[[], float]) -> None:
        """Show the lag of a shard. `lag` returns the current lag in seconds."""
        self.prometheus.lag.labels(*self._labels, shard_id).set_function(lag)

    def shard_ended(self, shard_id: str) -> None:
        """Stop showing the lag of a shard."""
        self.prometheus.lag.remove(*self._labels, shard_id)


class ExecutionTelemetry:
    """One execution, from its start until `ended` is called.

    The execution log shows requests and responses only if `shows_calls` is true. Of a stage that
    makes several calls it shows the last one.
    """

    def __init__(self, pipe: PipeTelemetry, records: Sequence[Record]) -> None:
        self._pipe = pipe
        self._count = len(records)
        self._size = sum([len(record.body) for record in records])
        self._values: dict[str, float] = {}
        self._entered: float | None = None
        self._call: dict[str, Mapping[str, Any]] = {}
        log = pipe.execution_log
        self._log = partial(log.write, str(uuid.uuid4())) if log else None
        self.shows_calls = log is not None and log.with_data
        self._begun = pipe.clock()
        pipe.in_flight.inc()
        if pipe.cloudwatch:
            pipe.cloudwatch.begun(pipe.scope)
        if self._log:
            self._log("ExecutionStarted", lambda: json_array(r.body for r in records))

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

        It is called only if the log shows it: AWS does at `TRANSFORMATION_SUCCEEDED` and
        `STAGE_SUCCEEDED`. The step after a call is the end of its invocation, and shows the call.
        """
        if step is Step.STAGE_ENTERED:
            self._entered = self._pipe.clock()
        elif step.startswith("Stage"):  # it ends
            if self._entered is not None:
                self._values[f"{stage}StageDuration"] = (self._pipe.clock() - self._entered) * 1000
            self._values |= _NO_STAGE_FAILURE[stage]
            if step is not Step.STAGE_SUCCEEDED:
                self._values[f"{stage}{step}"] = 1
            self._entered = None
        if self._log:
            self._log(f"{stage}{step}", payload, self._call, error)
            self._call = {}

    def ended(self, outcome: Outcome) -> None:
        """End the execution. Some or all of its records may be sent again."""
        pipe, count = self._pipe, self._count
        milliseconds = (pipe.clock() - self._begun) * 1000
        how = ending(outcome, count)
        failed = len(outcome.failed)
        pipe.records["delivered"].inc(count - failed)
        pipe.records["failed"].inc(failed)
        pipe.executions[how].inc()
        pipe.in_flight.dec()
        if pipe.cloudwatch:
            values = {"Invocations": 1, "Duration": milliseconds, **_NO_FAILURE, **self._values}
            values |= {"EventCount": count, "EventSize": self._size}
            if how is not Ending.SUCCEEDED:
                values[f"Execution{how}"] = 1
            pipe.cloudwatch.ended(pipe.scope, pipe.name, values)
        if self._log:
            error = outcome.error or (FailedCall("", outcome.reason) if outcome.failed else None)
            self._log(f"Execution{how}", error=error)
        pipe.log.debug(
            "batch of %d (%d bytes): %s in %.1f ms", count, self._size, how, milliseconds
        )


@dataclass(eq=False)
class Telemetry:
    """The telemetry of all pipes that have started.

    `metrics_interval` is in seconds; 0 puts no metrics to CloudWatch. A thread puts the metrics,
    and each execution log has a thread.
    """

    aws: AwsClients
    prometheus: PrometheusMetrics
    metrics_interval: float

    def __post_init__(self) -> None:
        self.cloudwatch = CloudWatchMetrics()
        self._lock = threading.Lock()
        self._pipes: dict[str, PipeTelemetry] = {}
        self._closing = threading.Event()
        self._publisher = threading.Thread(target=self._publish, name="metrics", daemon=True)
        if self.metrics_interval:
            self._publisher.start()

    def of(self, pipe: Pipe) -> PipeTelemetry:
        """Return the telemetry of a pipe that starts, with the log that its definition has now."""
        cloudwatch = self.cloudwatch if self.metrics_interval else None
        with self._lock:
            made = PipeTelemetry(pipe.arn, self.prometheus, cloudwatch)
            telemetry = self._pipes.setdefault(pipe.arn, made)
        for warning in telemetry.warnings.values():
            warning.set(0)
        logs = self.aws.of(pipe.scope).logs if pipe.log_group_arn else None
        log = ExecutionLog(logs, pipe) if logs else None
        telemetry.change_log(log)
        return telemetry

    def forget(self, arn: str) -> None:
        """Remove the metrics of a deleted pipe; the last ones are still put to CloudWatch."""
        with self._lock:
            telemetry = self._pipes.pop(arn, None)
            self.prometheus.forget(arn)
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
        publisher = [self._publisher] if self.metrics_interval else []
        for thread in [*(log.thread for log in logs), *publisher]:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _publish(self) -> None:
        """Put the metrics to CloudWatch at each interval and at the end.

        Metrics that cannot be put are lost: AWS's own are best effort too. While CloudWatch does
        not take them, or there is none, the pauses grow. On AWS itself the namespace is reserved.
        """
        failures = 0
        last = False
        while not last:
            last = self._closing.wait(pause_after(failures, self.metrics_interval))
            taken = self.cloudwatch.take()
            refusals = [self._put(scope, data) for scope, data in taken.items()]
            if why := next(filter(None, refusals), None):
                failures += 1
                if failures == 1:
                    LOGGER.warning("cannot put metrics to CloudWatch, retrying: %s", why)
            elif taken and failures:
                failures = 0
                LOGGER.info("putting metrics to CloudWatch again")

    def _put(self, scope: Scope, data: Sequence[MetricDatumTypeDef]) -> str | None:
        """Return why CloudWatch does not take the metrics; None if it does."""
        try:
            client = self.aws.of(scope).cloudwatch
            for start in range(0, len(data), DATA_PER_CALL):
                part = data[start : start + DATA_PER_CALL]
                client.put_metric_data(Namespace=NAMESPACE, MetricData=part)
        except errors.CallError as error:
            return errors.summary(error)
        except Exception as error:
            LOGGER.exception("putting metrics failed")
            return f"an error in the Pipes service: {error}"
        return None
