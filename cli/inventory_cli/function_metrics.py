"""Publish the metrics that functions embed in their logs: the service `metrics` of Docker Compose.

    python -m inventory_cli.function_metrics

It runs until a signal stops it. On AWS, CloudWatch does this itself, and in the embedded target a
correction of MiniStack does. So it has to know the emulator: AWS_ENDPOINT_URL.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from embedded.interrupts import InterruptedRunError, Interrupts
from embedded.metric_format import embedded_metrics
from inventory_aws.errors import explain
from operations.function_log import FUNCTION_LOGS, LogReader

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_logs import CloudWatchLogsClient

ONLY_WITH_METRICS = '"CloudWatchMetrics"'

DATA_PER_CALL = 500
"""Half of what PutMetricData allows, because its limit of 1 MB applies before compression."""

INTERVAL_SECONDS = 10.0
CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})


class FunctionMetrics:
    """Publishes the metrics in log events from `since` (seconds since the epoch) on, each once."""

    def __init__(
        self, logs: CloudWatchLogsClient, cloudwatch: CloudWatchClient, since: float
    ) -> None:
        self._logs = logs
        self._cloudwatch = cloudwatch
        self._since = since
        self._readers: dict[str, LogReader] = {}

    def publish(self) -> None:
        """Publish what is new. Metrics that CloudWatch does not accept are lost."""
        pages = self._logs.get_paginator("describe_log_groups")
        groups = pages.paginate(logGroupNamePrefix=FUNCTION_LOGS).search("logGroups[].logGroupName")
        for group in groups:
            reader = self._readers.setdefault(group, LogReader(self._logs, group, self._since))
            by_namespace: dict[str, list[Any]] = defaultdict(list)
            for line in reader.new_lines(ONLY_WITH_METRICS):
                for namespace, datum in embedded_metrics(line):
                    by_namespace[namespace].append(datum)
            for namespace, data in by_namespace.items():
                for start in range(0, len(data), DATA_PER_CALL):
                    part = data[start : start + DATA_PER_CALL]
                    self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=part)


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
