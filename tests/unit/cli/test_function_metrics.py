"""The metrics that functions embed in their logs reach the emulator's CloudWatch, each once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from embedded.interrupts import InterruptedRunError
from inventory_cli.function_metrics import DATA_PER_CALL, FunctionMetrics, follow
from operations.function_log import LATE_MILLISECONDS

AT = 1_700_000_000_000
GROUP = "/aws/lambda/orders"


def stubbed(service: Any) -> Iterator[Stubber]:
    client = boto3.client(
        service,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def logs() -> Iterator[Stubber]:
    """CloudWatch Logs that answers what a test says."""
    yield from stubbed("logs")


@pytest.fixture
def cloudwatch() -> Iterator[Stubber]:
    yield from stubbed("cloudwatch")


@pytest.fixture
def metrics(logs: Stubber, cloudwatch: Stubber) -> FunctionMetrics:
    logs_client: Any = logs.client
    cloudwatch_client: Any = cloudwatch.client
    return FunctionMetrics(logs_client, cloudwatch_client, since=AT / 1000)


def event(at: int, stream: str = "one", *, values: int = 1) -> dict[str, Any]:
    names = [f"m{number}" for number in range(values)]
    definitions = [{"Name": name} for name in names]
    directive = {"Namespace": "Orders", "Dimensions": [[]], "Metrics": definitions}
    document = {"_aws": {"Timestamp": AT, "CloudWatchMetrics": [directive]}}
    message = json.dumps(document | dict.fromkeys(names, 1))
    return {"timestamp": at, "message": message, "logStreamName": stream}


def groups(logs: Stubber, *names: str) -> None:
    found = {"logGroups": [{"logGroupName": name} for name in names]}
    logs.add_response("describe_log_groups", found, {"logGroupNamePrefix": "/aws/lambda/"})


def events(logs: Stubber, *answered: dict[str, Any], start: int, group: str = GROUP) -> None:
    asked = {"logGroupName": group, "startTime": start, "filterPattern": '"CloudWatchMetrics"'}
    logs.add_response("filter_log_events", {"events": list(answered)}, asked)


def puts(cloudwatch: Stubber, data: int) -> None:
    """Expect a call with this many data."""
    expected = {"Namespace": "Orders", "MetricData": [ANY] * data}
    cloudwatch.add_response("put_metric_data", {}, expected)


def test_a_line_counts_once_and_one_that_comes_late_counts_too(
    logs: Stubber, cloudwatch: Stubber, metrics: FunctionMetrics
) -> None:
    first, late = event(AT + 60_000), event(AT + 59_000, "two")
    start = AT + 60_000 - LATE_MILLISECONDS
    for answered, since in (([first], AT), ([late, first], start), ([late, first], start)):
        groups(logs, GROUP)
        events(logs, *answered, start=since)
    puts(cloudwatch, 1)
    puts(cloudwatch, 1)
    for _ in range(3):
        metrics.publish()


def test_equal_lines_of_one_moment_count_each(
    logs: Stubber, cloudwatch: Stubber, metrics: FunctionMetrics
) -> None:
    for lines in (2, 3):
        groups(logs, GROUP)
        events(logs, *[event(AT)] * lines, start=AT)
    puts(cloudwatch, 2)
    puts(cloudwatch, 1)
    metrics.publish()
    metrics.publish()


def test_many_metrics_take_several_calls(
    logs: Stubber, cloudwatch: Stubber, metrics: FunctionMetrics
) -> None:
    groups(logs, GROUP)
    events(logs, event(AT, values=DATA_PER_CALL + 1), start=AT)
    puts(cloudwatch, DATA_PER_CALL)
    puts(cloudwatch, 1)
    metrics.publish()


def test_after_a_failure_nothing_is_missing_and_nothing_counts_twice(
    logs: Stubber, cloudwatch: Stubber, metrics: FunctionMetrics
) -> None:
    second = f"{GROUP}-2"
    groups(logs, GROUP, second)
    events(logs, event(AT), start=AT)
    logs.add_client_error("filter_log_events", "ServiceUnavailableException")
    groups(logs, GROUP, second)
    events(logs, event(AT), start=AT)
    events(logs, event(AT), start=AT, group=second)
    puts(cloudwatch, 1)
    puts(cloudwatch, 1)
    with pytest.raises(ClientError):
        metrics.publish()
    metrics.publish()


def test_a_log_group_that_is_deleted_meanwhile_is_no_failure(
    logs: Stubber, metrics: FunctionMetrics
) -> None:
    groups(logs, GROUP)
    logs.add_client_error("filter_log_events", "ResourceNotFoundException")
    metrics.publish()


def follow_for(metrics: FunctionMetrics, rounds: int) -> list[float]:
    """Return the pauses, the last of which is interrupted."""
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > rounds:
            raise InterruptedRunError(15)

    with pytest.raises(InterruptedRunError):
        follow(metrics, pause)
    return pauses


def test_a_failure_that_repeats_is_printed_once_and_retried(
    logs: Stubber, metrics: FunctionMetrics, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        logs.add_client_error("describe_log_groups", "InternalFailure", "not implemented")
    assert follow_for(metrics, rounds=3) == [10, 10, 10, 10]
    [line] = capsys.readouterr().err.splitlines()
    assert "InternalFailure: not implemented" in line


def test_an_emulator_without_cloudwatch_loses_the_metrics_and_nothing_else(
    logs: Stubber, cloudwatch: Stubber, metrics: FunctionMetrics
) -> None:
    for at in (AT, AT + 1):
        groups(logs, GROUP)
        events(logs, event(at), start=AT)
    cloudwatch.add_client_error("put_metric_data", "InternalFailure")
    puts(cloudwatch, 1)
    follow_for(metrics, rounds=2)
