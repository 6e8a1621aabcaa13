"""What a pipe tells of itself: in MiniStack's CloudWatch, and to Prometheus."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from eventbridge_pipes.outcome import SUCCEEDED, FailedCall, all_failed
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.telemetry.metrics import Telemetry
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_samples import PIPE, record, records
from pipes_service import Pipeline, PipesProcess, in_state, unique
from servers import AwsClient
from waiting import eventually

METRICS_INTERVAL = 0.05


@pytest.fixture
def telemetry(aws: AwsClient) -> Iterator[Telemetry]:
    clients = SimpleNamespace(logs=aws("logs"), cloudwatch=aws("cloudwatch"))
    of_each_scope: Any = SimpleNamespace(of=lambda _: clients)
    made = Telemetry(of_each_scope, PrometheusMetrics(), METRICS_INTERVAL)
    yield made
    made.close()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return unique(request.node.name)


def pipe(name: str, **log: Any) -> Pipe:
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/pipes/{name}"
    configuration = {"CloudwatchLogsLogDestination": {"LogGroupArn": arn}, **log}
    return replace(PIPE, name=name, arn=PIPE.scope.pipe_arn(name), log_configuration=configuration)


def logged(aws: AwsClient, name: str) -> list[dict[str, Any]]:
    logs = aws("logs")
    found = logs.get_log_events(
        logGroupName=f"/aws/vendedlogs/pipes/{name}", logStreamName=name, startFromHead=True
    )
    return [json.loads(event["message"]) for event in found["events"]]


def test_an_execution_is_told_in_the_log_group(
    aws: AwsClient, telemetry: Telemetry, name: str
) -> None:
    aws("logs").create_log_group(logGroupName=f"/aws/vendedlogs/pipes/{name}")
    of_pipe = telemetry.of(pipe(name, Level="INFO", IncludeExecutionData=["ALL"]))
    of_pipe.execution(records(2)).ended(SUCCEEDED)
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
    aws: AwsClient, telemetry: Telemetry, name: str
) -> None:
    aws("logs").create_log_group(logGroupName=f"/aws/vendedlogs/pipes/{name}")
    of_pipe = telemetry.of(pipe(name, Level="INFO", IncludeExecutionData=["ALL"]))
    for number in range(8):
        of_pipe.execution([record(number, size=400_000)]).ended(SUCCEEDED)
    telemetry.close(grace=20)
    found = logged(aws, name)
    assert len(found) == 16
    assert [r["truncatedFields"] for r in found if "payload" in r] == [["payload"]] * 8


def test_a_log_group_made_only_later_gets_what_happened_before(
    aws: AwsClient, telemetry: Telemetry, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="eventbridge_pipes")
    of_pipe = telemetry.of(pipe(name, Level="ERROR"))
    error = FailedCall("lambda", "no such function", 404)
    of_pipe.execution(records(1)).ended(all_failed(records(1), "no such function", error))
    eventually(lambda: "cannot write to" in caplog.text)
    aws("logs").create_log_group(logGroupName=f"/aws/vendedlogs/pipes/{name}")
    (failed,) = eventually(lambda: found_in(aws, name))
    assert failed["error"]["httpStatusCode"] == 404


def test_a_log_group_that_is_made_again_gets_the_next_records(
    aws: AwsClient, telemetry: Telemetry, name: str
) -> None:
    group = f"/aws/vendedlogs/pipes/{name}"
    aws("logs").create_log_group(logGroupName=group)
    of_pipe = telemetry.of(pipe(name, Level="ERROR"))
    for _ in range(2):
        of_pipe.execution(records(1)).ended(all_failed(records(1), "refused"))
        eventually(lambda: len(found_in(aws, name)) == 1)
        aws("logs").delete_log_group(logGroupName=group)
        aws("logs").create_log_group(logGroupName=group)


def test_the_metrics_of_a_pipe_are_in_cloudwatch(
    aws: AwsClient, telemetry: Telemetry, name: str
) -> None:
    of_pipe = telemetry.of(replace(PIPE, name=name, arn=PIPE.scope.pipe_arn(name)))
    of_pipe.execution(records(4)).ended(SUCCEEDED)
    of_pipe.execution(records(2)).ended(all_failed(records(2), "refused"))
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


def test_a_pipe_tells_what_it_does(aws: AwsClient, emulator: str, tmp_path: Path) -> None:
    pipeline = Pipeline(aws, unique("a_pipe_tells_what_it_does"))
    name = pipeline.name
    aws("logs").create_log_group(logGroupName=f"/aws/vendedlogs/pipes/{name}")
    log_configuration = pipe(name, Level="TRACE", IncludeExecutionData=["ALL"]).log_configuration
    process = PipesProcess(emulator, tmp_path / "state")
    try:
        process.start("--metrics-interval", "0.1", "--log-level", "debug")
        client = process.client()
        definition = pipeline.definition(MaximumRetryAttempts=0)
        client.create_pipe(**definition, LogConfiguration=log_configuration)
        in_state(client, name, "RUNNING")
        pipeline.put("one", "poison")
        samples = eventually(lambda: samples_of(process, name, dropped=2))
        assert samples["eventbridge_pipes_records_read_total"] == 2
        assert samples["eventbridge_pipes_batches_in_flight"] == 0
        assert "eventbridge_pipes_shard_lag_seconds" in samples
        steps = eventually(lambda: logged_until(aws, name, "ExecutionFailed"))
        assert [step["messageType"] for step in steps] == [
            "ExecutionStarted",
            "TargetStageEntered",
            "TargetInvocationStarted",
            "TargetInvocationFailed",
            "TargetStageFailed",
            "ExecutionFailed",
        ]
        call = steps[3]
        assert [
            r["kinesisSchemaVersion"] for r in json.loads(json.loads(call["awsRequest"])["Payload"])
        ]
        assert "poisoned" in call["awsResponse"]
        assert eventually(lambda: summed(aws, name, "ExecutionFailed") == 1)
        assert "batch of 2" in process.log.read_text()
        client.delete_pipe(Name=name)
        assert eventually(lambda: samples_of(process, name) == {})
    finally:
        process.stop()


def logged_until(aws: AwsClient, name: str, message_type: str) -> list[dict[str, Any]]:
    """The log, once its last record is of this type."""
    found = found_in(aws, name)
    return found if found and found[-1]["messageType"] == message_type else []


def samples_of(process: PipesProcess, pipe: str, dropped: int | None = None) -> dict[str, float]:
    """The samples of a pipe as Prometheus gets them; none before so many records are dropped."""
    with urllib.request.urlopen(f"{process.url}/metrics") as answer:  # noqa: S310
        text = answer.read().decode()
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("pipe") == pipe
    }
    if dropped is None or found.get("eventbridge_pipes_records_dropped_total") == dropped:
        return found
    return {}
