"""What CloudWatch counts of the pipe and the function, where nobody else tells it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dashboard.sources.hub import Hub

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

PERIOD = 60
LOOK_BACK = 10 * PERIOD
"""Metrics come minutes late."""


class CloudWatchSource:
    """The failures of each minute that has not been told of, one GetMetricData a round."""

    def __init__(self, hub: Hub, client: CloudWatchClient, pipe: str, function: str) -> None:
        self._hub = hub
        self._client = client
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
        # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        self._queries = [
            _query("pipe_failed", "AWS/EventBridge/Pipes", "ExecutionFailed", "PipeName", pipe),
            _query("function_errors", "AWS/Lambda", "Errors", "FunctionName", function),
        ]
        self._known: dict[tuple[str, float], float] = {}

    def ask(self) -> None:
        now = time.time()
        answer = self._client.get_metric_data(
            MetricDataQueries=self._queries,
            StartTime=datetime.fromtimestamp(now - LOOK_BACK, UTC),
            EndTime=datetime.fromtimestamp(now, UTC),
        )
        with self._hub.pipeline() as pipeline:
            for result in answer["MetricDataResults"]:
                name = result["Id"]
                for at, new in self._news(name, result["Timestamps"], result["Values"]):
                    pipeline.counts.add(at, {name: new})
        self._known = {key: v for key, v in self._known.items() if key[1] > now - 2 * LOOK_BACK}

    def _news(
        self, name: str, moments: Sequence[datetime], values: Sequence[float]
    ) -> list[tuple[float, int]]:
        """By how much a minute counts more than when it was last told of."""
        news = []
        for moment, value in zip(moments, values, strict=True):
            key = (name, moment.timestamp())
            if (more := int(value - self._known.get(key, 0.0))) > 0:
                news.append((key[1], more))
            self._known[key] = value
        return news


def _query(query_id: str, namespace: str, metric: str, dimension: str, value: str) -> Any:
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [{"Name": dimension, "Value": value}],
            },
            "Period": PERIOD,
            "Stat": "Sum",
        },
    }
