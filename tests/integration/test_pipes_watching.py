"""The execution log and the metrics in MiniStack's CloudWatch, without a pipe between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from conftest import AwsClient
from eventbridge_pipes.delivery.outcome import CallError, Succeeded, all_failed
from eventbridge_pipes.model import Pipe
from eventbridge_pipes.watching.watchers import Watchers
from pipes_samples import PIPE, record, records
from pipes_service import unique
from waiting import eventually

METRICS_INTERVAL = 0.05


@pytest.fixture
def watchers(aws: AwsClient) -> Iterator[Watchers]:
    clients: Any = SimpleNamespace(logs=aws("logs"), cloudwatch=aws("cloudwatch"))
    made = Watchers(clients, list, METRICS_INTERVAL)
    yield made
    made.close()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return unique(request.node.name)


def pipe(name: str, **log: Any) -> Pipe:
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/pipes/{name}"
    configuration = {"CloudwatchLogsLogDestination": {"LogGroupArn": arn}, **log}
    return replace(PIPE, name=name, log_configuration=configuration)


def logged(aws: AwsClient, name: str) -> list[dict[str, Any]]:
    logs = aws("logs")
    found = logs.get_log_events(
        logGroupName=f"/aws/vendedlogs/pipes/{name}", logStreamName=name, startFromHead=True
    )
    return [json.loads(event["message"]) for event in found["events"]]


def test_an_execution_is_told_in_the_log_group(
    aws: AwsClient, watchers: Watchers, name: str
) -> None:
    aws("logs").create_log_group(logGroupName=f"/aws/vendedlogs/pipes/{name}")
    watch = watchers.of(pipe(name, Level="INFO", IncludeExecutionData=["ALL"]))
    watch.execution(records(2)).ended(Succeeded())
    started, succeeded = eventually(lambda: found_in(aws, name))
    assert started["payload"] == "[0,1]"
    assert succeeded["messageType"] == "ExecutionSucceeded"
    assert succeeded["executionId"] == started["executionId"]


def found_in(aws: AwsClient, name: str) -> list[dict[str, Any]]:
    try:
        return logged(aws, name)
    except aws("logs").exceptions.ResourceNotFoundException:
        return []


def test_large_records_go_in_several_calls_and_arrive_whole(
    aws: AwsClient, watchers: Watchers, name: str
) -> None:
    aws("logs").create_log_group(logGroupName=f"/aws/vendedlogs/pipes/{name}")
    watch = watchers.of(pipe(name, Level="INFO", IncludeExecutionData=["ALL"]))
    for number in range(8):
        watch.execution([record(number, size=400_000)]).ended(Succeeded())
    watchers.close(grace=20)
    found = logged(aws, name)
    assert len(found) == 16
    assert [r["truncatedFields"] for r in found if "payload" in r] == [["payload"]] * 8


def test_a_log_group_made_only_later_gets_what_happened_before(
    aws: AwsClient, watchers: Watchers, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    watch = watchers.of(pipe(name, Level="ERROR"))
    error = CallError("lambda", "no such function", 404)
    watch.execution(records(1)).ended(all_failed(records(1), "no such function", error))
    eventually(lambda: "cannot write to" in caplog.text)
    aws("logs").create_log_group(logGroupName=f"/aws/vendedlogs/pipes/{name}")
    (failed,) = eventually(lambda: found_in(aws, name))
    assert failed["error"]["httpStatusCode"] == 404


def test_a_log_group_that_is_made_again_gets_the_next_records(
    aws: AwsClient, watchers: Watchers, name: str
) -> None:
    group = f"/aws/vendedlogs/pipes/{name}"
    aws("logs").create_log_group(logGroupName=group)
    watch = watchers.of(pipe(name, Level="ERROR"))
    for _ in range(2):
        watch.execution(records(1)).ended(all_failed(records(1), "refused"))
        eventually(lambda: len(found_in(aws, name)) == 1)
        aws("logs").delete_log_group(logGroupName=group)
        aws("logs").create_log_group(logGroupName=group)


def test_the_metrics_of_a_pipe_are_in_cloudwatch(
    aws: AwsClient, watchers: Watchers, name: str
) -> None:
    watch = watchers.of(replace(PIPE, name=name))
    watch.execution(records(4)).ended(Succeeded())
    watch.execution(records(2)).ended(all_failed(records(2), "refused"))
    assert eventually(lambda: summed(aws, name, "EventCount") == 6)
    assert summed(aws, name, "ExecutionFailed") == 1
    assert summed(aws, name, "ExecutionThrottled") == 0


def summed(aws: AwsClient, pipe: str, metric: str) -> float | None:
    now = datetime.now(UTC)
    found = aws("cloudwatch").get_metric_statistics(
        Namespace="AWS/EventBridge/Pipes",
        MetricName=metric,
        Dimensions=[{"Name": "PipeName", "Value": pipe}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=86400,
        Statistics=["Sum"],
    )
    points = [point["Sum"] for point in found["Datapoints"]]
    return sum(points) if points else None
