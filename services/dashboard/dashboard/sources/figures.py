"""Figures of the pipe, the queues, the producer and CloudWatch."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client.parser import text_string_to_metric_families

from dashboard.controls.actions import ProducerControl, request
from dashboard.sources.hub import Hub
from inventory_aws.names import Names
from operations.verify.explain import RecordStatus

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_pipes import EventBridgePipesClient
    from mypy_boto3_sqs import SQSClient

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
ERROR_METRICS = {
    "pipe": ("AWS/EventBridge/Pipes", "ExecutionFailed", "PipeName"),
    "function": ("AWS/Lambda", "Errors", "FunctionName"),
}
MINUTES = timedelta(minutes=5)
STATUS_OF = {"rejected": RecordStatus.REJECTED, "dead_letters": RecordStatus.DEAD_LETTERED}


def read_pipe(hub: Hub, pipes: EventBridgePipesClient, pipe: str, metrics_url: str | None) -> None:
    """Report the state of the pipe and, with a `metrics_url`, its lag and failures."""
    answer = pipes.describe_pipe(Name=pipe)
    lag = failed = None
    if metrics_url:
        lag, failed = pipe_metrics(request("GET", metrics_url).decode(), answer["Arn"])
    with hub.pipeline() as pipeline:
        figures = pipeline.figures
        figures.pipe_state = answer["CurrentState"]
        figures.pipe_reason = answer.get("StateReason", "")
        if failed is not None and figures.pipe_failed_total is not None:
            new = max(0, int(failed - figures.pipe_failed_total))
            pipeline.counts.add(time.time(), {"pipe_failed": new})
        figures.pipe_lag, figures.pipe_failed_total = lag, failed


def pipe_metrics(text: str, arn: str) -> tuple[float, float]:
    """Return the lag of a pipe in seconds, and how many records have failed, from the Prometheus
    text of services/pipes. They are 0 where it has none."""
    _, _, _, region, account, pipe = arn.split(":", 5)
    labels = {"pipe": pipe.removeprefix("pipe/"), "account": account, "region": region}
    values: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.labels.items() >= labels.items():
                values.setdefault(sample.name, []).append(sample.value)
    lags = values.get("eventbridge_pipes_shard_lag_seconds", [])
    return max(lags, default=0.0), sum(values.get("eventbridge_pipes_records_failed_total", []))


def read_queue(hub: Hub, sqs: SQSClient, queue: str, node: str) -> None:
    """Report how many messages a queue has."""
    began = time.time()
    attributes = sqs.get_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    messages = sum(map(int, attributes.values()))
    with hub.pipeline() as pipeline:
        setattr(pipeline.figures, node, messages)
        if messages == 0:
            pipeline.queued([STATUS_OF[node]], (), began)


def read_producer(hub: Hub, producer: ProducerControl) -> None:
    status = producer.status()
    with hub.pipeline() as pipeline:
        pipeline.figures.producer_reports(status)


def read_cloudwatch(hub: Hub, cloudwatch: CloudWatchClient, names: Names) -> None:
    """Report the errors of the last minutes that CloudWatch knows of, which is minutes late."""
    now = datetime.now(UTC)
    resources = {"pipe": names.pipe, "function": names.function}
    queries: list[Any] = [
        {
            "Id": node,
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": resources[node]}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for node, (namespace, metric, dimension) in ERROR_METRICS.items()
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=now - MINUTES, EndTime=now
    )
    errors = {result["Id"]: int(sum(result["Values"])) for result in answer["MetricDataResults"]}
    with hub.pipeline() as pipeline:
        pipeline.figures.errors = errors
