"""The emulator of the embedded target: CloudWatch extracts metrics from log events."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from servers import AwsClient
from waiting import eventually


@pytest.fixture
def name() -> str:
    return f"metrics-{uuid.uuid4().hex[:10]}"


def put_logs(aws: AwsClient, group: str, *messages: str) -> None:
    logs, now = aws("logs"), int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


def with_metric(namespace: str, value: float) -> str:
    definitions = [{"Name": "done", "Unit": "Count"}]
    directive = {
        "Namespace": namespace,
        "Dimensions": [["service"]],
        "Metrics": definitions,
    }
    embedded = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": embedded, "service": "orders", "done": value})


def test_each_log_event_counts_once_and_an_alarm_sees_it(aws: AwsClient, name: str) -> None:
    logs, cloudwatch = aws("logs"), aws("cloudwatch")
    metric = {
        "Namespace": name,
        "MetricName": "done",
        "Dimensions": [{"Name": "service", "Value": "orders"}],
    }
    cloudwatch.put_metric_alarm(
        **metric,
        AlarmName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=5,
        Threshold=6,
        ComparisonOperator="GreaterThanThreshold",
    )
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    put_logs(aws, name, with_metric(name, 3), "a line without metrics", with_metric(name, 2))
    put_logs(aws, name, with_metric(name, 2))
    now = datetime.now(UTC)
    [point] = cloudwatch.get_metric_statistics(
        **metric,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["SampleCount", "Sum"],
        Unit="Count",
    )["Datapoints"]
    assert (point["SampleCount"], point["Sum"]) == (3, 7)

    def state() -> str:
        [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(alarm["StateValue"])

    assert state() != "ALARM"
    eventually(lambda: state() == "ALARM", timeout=30)
