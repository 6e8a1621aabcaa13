"""A CloudWatch Logs in memory, and what the telemetry of a pipe has counted and logged."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.telemetry.execution_log import ExecutionLog
from eventbridge_pipes.telemetry.metrics import PipeTelemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_samples import PIPE

LOG_GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/pipes/sample"


def counted(telemetry: PipeTelemetry, metric: str, **labels: str) -> float | None:
    """The value of a metric of the pipe, as Prometheus gets it; None if there is none."""
    scope = telemetry.scope
    of_pipe = {"pipe": telemetry.name, "account": scope.account, "region": scope.region}
    registry = telemetry.prometheus.registry
    return registry.get_sample_value(f"eventbridge_pipes_{metric}", {**of_pipe, **labels})


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "PutLogEvents")


class FakeLogs:
    """CloudWatch Logs with one log group, which is there or not."""

    def __init__(self) -> None:
        self.group_exists = True
        self.streams: set[str] = set()
        self.written: list[list[str]] = []
        self.times: list[int] = []
        self.troubles: list[Exception] = []
        self.calls = 0
        self.hold = threading.Event()
        self.hold.set()

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:  # noqa: N803
        if not self.group_exists:
            raise refusal("ResourceNotFoundException")
        self.streams.add(f"{logGroupName} {logStreamName}")

    def put_log_events(
        self,
        *,
        logGroupName: str,  # noqa: N803
        logStreamName: str,  # noqa: N803
        logEvents: list[dict[str, Any]],  # noqa: N803
    ) -> None:
        self.calls += 1
        self.hold.wait(10)
        if self.troubles:
            raise self.troubles.pop(0)
        if not self.group_exists or f"{logGroupName} {logStreamName}" not in self.streams:
            raise refusal("ResourceNotFoundException")
        times = [event["timestamp"] for event in logEvents]
        assert times == sorted(times)
        self.times += times
        self.written.append([event["message"] for event in logEvents])

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(message) for batch in self.written for message in batch]

    @property
    def message_types(self) -> list[str]:
        return [record["messageType"] for record in self.records]


def logging_pipe(level: str, *data: str, arn: str = LOG_GROUP) -> Pipe:
    """A pipe whose log has this level, and shows these execution data."""
    configuration = {
        "CloudwatchLogsLogDestination": {"LogGroupArn": arn},
        "Level": level,
        "IncludeExecutionData": list(data),
    }
    return replace(PIPE, log_configuration=configuration)


def execution_log(
    logs: FakeLogs, level: str, *data: str, arn: str = LOG_GROUP, **options: Any
) -> ExecutionLog:
    pipe = logging_pipe(level, *data, arn=arn)
    return ExecutionLog(logs, pipe, **options)  # type: ignore[arg-type]


class LoggedTelemetry(PipeTelemetry):
    """Telemetry with an execution log that can be read."""

    def __init__(
        self, level: str = "TRACE", *data: str, now: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.logs = FakeLogs()
        log = execution_log(self.logs, level, *data, now=now)
        super().__init__(PIPE.arn, PrometheusMetrics(), execution_log=log)

    def logged(self) -> list[dict[str, Any]]:
        """End the log, and return its records."""
        log = self.execution_log
        assert log
        log.close()
        log.thread.join(5)
        return self.logs.records

    def logged_steps(self) -> list[str]:
        """End the log, and return the message types of its records."""
        return [record["messageType"] for record in self.logged()]
