"""Publish the metrics that functions embed in their logs: the service `metrics` of Docker Compose.

    python -m inventory_cli.function_metrics

It runs until a signal stops it. On AWS, CloudWatch does this itself, and in the embedded target a
correction of MiniStack does. So it has to know the emulator: AWS_ENDPOINT_URL.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from embedded.interrupts import InterruptedRunError, Interrupts
from embedded.metric_format import embedded_metrics
from inventory_aws.errors import explain

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_logs import CloudWatchLogsClient

FUNCTION_LOGS = "/aws/lambda/"
ONLY_WITH_METRICS = '"CloudWatchMetrics"'

LATE_MILLISECONDS = 10_000
"""Instances of a function log concurrently: an event may arrive after a younger one."""

DATA_PER_CALL = 500
"""Half of what PutMetricData allows, because its limit of 1 MB applies before compression."""

INTERVAL_SECONDS = 10.0
CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})

Line = tuple[str, int, str]
"""Stream, time and message of a log event. Not every emulator gives its id."""


class FunctionMetrics:
    """Publishes the metrics in log events from `since` (seconds since the epoch) on, each once."""

    def __init__(
        self, logs: CloudWatchLogsClient, cloudwatch: CloudWatchClient, since: float
    ) -> None:
        self._logs = logs
        self._cloudwatch = cloudwatch
        self._since = int(since * 1000)
        # By log group, the time from which to read next, and the known lines from then on.
        self._read: dict[str, tuple[int, Counter[Line]]] = {}

    def publish(self) -> None:
        """Publish what is new. Metrics that CloudWatch does not accept are lost."""
        pages = self._logs.get_paginator("describe_log_groups")
        for group in pages.paginate(logGroupNamePrefix=FUNCTION_LOGS).search("logGroups[]"):
            by_namespace: dict[str, list[Any]] = defaultdict(list)
            for _, _, message in self._new_lines(group["logGroupName"]).elements():
                for namespace, datum in embedded_metrics(message):
                    by_namespace[namespace].append(datum)
            for namespace, data in by_namespace.items():
                for start in range(0, len(data), DATA_PER_CALL):
                    part = data[start : start + DATA_PER_CALL]
                    self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=part)

    def _new_lines(self, group: str) -> Counter[Line]:
        start, known = self._read.get(group, (self._since, Counter()))
        lines = Counter(self._lines(group, start))
        newest = max((at for _, at, _ in lines), default=start)
        self._read[group] = max(start, newest - LATE_MILLISECONDS), lines
        return lines - known

    def _lines(self, group: str, start: int) -> Iterator[Line]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=start, filterPattern=ONLY_WITH_METRICS
        )
        # The group may be deleted after it was listed.
        with suppress(self._logs.exceptions.ResourceNotFoundException):
            for event in pages.search("events[]"):
                yield event.get("logStreamName", ""), event["timestamp"], event["message"]


def follow(metrics: FunctionMetrics, pause: Callable[[float], object]) -> None:
    """Publish every ten seconds, until `pause` raises. Print each failure, unless it repeats."""
    failure = ""
    while True:
        pause(INTERVAL_SECONDS)
        try:
            metrics.publish()
        except (BotoCoreError, ClientError) as error:
            if failure != (failure := explain(error)):
                print(f"Cannot publish metrics. Retrying: {failure}", file=sys.stderr)


def main() -> None:
    client = partial(boto3.client, endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=CONFIG)
    metrics = FunctionMetrics(client("logs"), client("cloudwatch"), time.time())
    with suppress(InterruptedRunError), Interrupts() as interrupts:
        follow(metrics, interrupts.pause)


if __name__ == "__main__":
    main()
