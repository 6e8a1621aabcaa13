"""What the pipes count, as metrics of Prometheus and of CloudWatch, and what they log."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from prometheus_client.parser import text_string_to_metric_families

from eventbridge_pipes.arn import Scope
from eventbridge_pipes.outcome import SUCCEEDED, FailedCall, Outcome, all_failed
from eventbridge_pipes.telemetry.metrics import (
    LONGEST_PAUSE,
    CloudWatchMetrics,
    Ending,
    ExecutionTelemetry,
    PipeTelemetry,
    Stage,
    Step,
    Telemetry,
    ending,
    pause_after,
)
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from eventbridge_pipes.template_warning import WarningKind
from pipes_samples import PIPE, record, records
from pipes_telemetry import FakeLogs, LoggedTelemetry, counted, logging_pipe
from waiting import eventually

THROTTLED = FailedCall("lambda", "slow down", 429, throttled=True)
TIMED_OUT = FailedCall("lambda", "no answer", timed_out=True)
ALL = frozenset({0, 1, 2})


@pytest.mark.parametrize(
    ("outcome", "how"),
    [
        (SUCCEEDED, Ending.SUCCEEDED),
        (Outcome(frozenset({1}), "refused"), Ending.PARTIALLY_FAILED),
        (Outcome(ALL, "refused"), Ending.FAILED),
        (Outcome(ALL, "late", TIMED_OUT), Ending.TIMED_OUT),
        (all_failed(range(3), "down", service_error=True), Ending.FAILED),
        (all_failed(range(3), "slow down", THROTTLED, True), Ending.THROTTLED),
        (Outcome(frozenset({2}), "slow down", THROTTLED, True), Ending.PARTIALLY_FAILED),
    ],
)
def test_how_an_execution_ended(outcome: Outcome, how: Ending) -> None:
    assert ending(outcome, count=3) is how


# The counters of a pipe, as Prometheus gets them


def arn_of(name: str) -> str:
    return PIPE.scope.pipe_arn(name)


def test_what_the_workers_tell_is_counted() -> None:
    telemetry = PipeTelemetry(arn_of("orders"), PrometheusMetrics())
    telemetry.read(9)
    telemetry.filtered(2)
    telemetry.given_up(3, dead_lettered=True)
    telemetry.given_up(1, dead_lettered=False)
    telemetry.execution(records(7)).ended(Outcome(frozenset({1, 2, 4}), "refused"))
    telemetry.execution(records(5))
    names = ("read", "filtered", "delivered", "failed", "dead_lettered", "dropped")
    assert {name: counted(telemetry, f"records_{name}_total") for name in names} == {
        "read": 9,
        "filtered": 2,
        "delivered": 4,
        "failed": 3,
        "dead_lettered": 3,
        "dropped": 1,
    }
    assert counted(telemetry, "executions_total", outcome="partially_failed") == 1
    assert counted(telemetry, "batches_in_flight") == 1


def samples(prometheus: PrometheusMetrics) -> dict[tuple[str, ...], float]:
    """The samples of the pipes by their names, pipes and other labels."""
    found = {}
    for family in text_string_to_metric_families(prometheus.text().decode()):
        for sample in family.samples:
            name = sample.name.removeprefix("eventbridge_pipes_")
            if name != sample.name:
                assert sample.labels.pop("account") == "000000000000"
                assert sample.labels.pop("region") == "us-east-1"
                found[name, sample.labels.pop("pipe"), *sample.labels.values()] = sample.value
    return found


def test_all_counters_of_a_pipe_are_there_from_its_start() -> None:
    prometheus = PrometheusMetrics()
    assert samples(prometheus) == {}
    PipeTelemetry(arn_of("orders"), prometheus)
    assert samples(prometheus) == {
        ("records_read_total", "orders"): 0,
        ("records_filtered_total", "orders"): 0,
        ("records_delivered_total", "orders"): 0,
        ("records_failed_total", "orders"): 0,
        ("records_dead_lettered_total", "orders"): 0,
        ("records_dropped_total", "orders"): 0,
        ("executions_total", "orders", "succeeded"): 0,
        ("executions_total", "orders", "partially_failed"): 0,
        ("executions_total", "orders", "failed"): 0,
        ("executions_total", "orders", "throttled"): 0,
        ("executions_total", "orders", "timed_out"): 0,
        ("batches_in_flight", "orders"): 0,
        ("warnings", "orders", "escaped_placeholder"): 0,
        ("warnings", "orders", "unreadable_path"): 0,
        ("warnings", "orders", "path_to_nothing"): 0,
        ("warnings", "orders", "escaped_value"): 0,
        ("warnings", "orders", "unquoted_json"): 0,
    }


def test_prometheus_sees_the_lag_of_each_shard_as_it_is_when_it_asks() -> None:
    telemetry = PipeTelemetry(arn_of("orders"), PrometheusMetrics())
    lags = iter([1.5, 2.5])
    telemetry.shard_begun("shard-1", lambda: next(lags))
    assert counted(telemetry, "shard_lag_seconds", shard="shard-1") == 1.5
    assert samples(telemetry.prometheus)["shard_lag_seconds", "orders", "shard-1"] == 2.5
    telemetry.shard_ended("shard-1")
    telemetry.shard_ended("never begun")
    assert counted(telemetry, "shard_lag_seconds", shard="shard-1") is None


def test_prometheus_sees_the_state_of_each_pipe_and_the_memory_of_the_process() -> None:
    pipes = [PIPE]
    prometheus = PrometheusMetrics(lambda: pipes)
    assert samples(prometheus) == {("pipe_state", "sample", "CREATING"): 1}
    assert "process_resident_memory_bytes" in prometheus.text().decode()
    pipes.clear()
    assert samples(prometheus) == {}


def test_the_series_of_a_deleted_pipe_go_and_do_not_come_back() -> None:
    prometheus = PrometheusMetrics()
    deleted, other = (PipeTelemetry(arn_of(name), prometheus) for name in ("deleted", "other"))
    for telemetry in (deleted, other):
        telemetry.shard_begun("shard-1", lambda: 0.0)
    late = deleted.execution(records(1))
    prometheus.forget(arn_of("deleted"))
    deleted.warn(WarningKind.PATH_TO_NOTHING, "late")
    late.ended(SUCCEEDED)
    deleted.shard_ended("shard-1")
    assert {pipe for _, pipe, *_ in samples(prometheus)} == {"other"}
    assert counted(other, "shard_lag_seconds", shard="shard-1") == 0
    assert counted(PipeTelemetry(arn_of("deleted"), prometheus), "records_delivered_total") == 0


# The metrics of a pipe and of the account in CloudWatch


class Clock:
    """Continues only when the test lets it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class TimedPipe(PipeTelemetry):
    """A pipe whose executions take as long as a test says."""

    def __init__(self, name: str = "orders", cloudwatch: CloudWatchMetrics | None = None) -> None:
        self.time = Clock()
        metrics = cloudwatch or CloudWatchMetrics()
        super().__init__(arn_of(name), PrometheusMetrics(), metrics, clock=self.time)

    def stage(self, execution: ExecutionTelemetry, stage: Stage, seconds: float, end: Step) -> None:
        execution.step(stage, Step.STAGE_ENTERED)
        execution.step(stage, Step.INVOCATION_STARTED)
        self.time.now += seconds
        execution.step(stage, end)

    def data(self, dimension: str = "PipeName") -> list[Any]:
        """The metrics since the last call that have this dimension, and no others."""
        assert self.cloudwatch
        data = self.cloudwatch.take().get(self.scope, [])
        return [datum for datum in data if datum["Dimensions"][0]["Name"] == dimension]

    def metrics(self) -> dict[str, tuple[float, float, float, float, str]]:
        return by_name(self.data())


def by_name(data: list[Any]) -> dict[str, tuple[float, float, float, float, str]]:
    found = {}
    for datum in data:
        values = datum["StatisticValues"]
        numbers = [values[n] for n in ("SampleCount", "Sum", "Minimum", "Maximum")]
        found[datum["MetricName"]] = (*numbers, datum["Unit"])
    assert len(found) == len(data)
    return found


def batch(count: int, size: int) -> list[Any]:
    return [record(number, size=size) for number in range(count)]


def test_the_metrics_of_a_pipe_are_those_of_aws() -> None:
    pipe = TimedPipe()
    first = pipe.execution(batch(10, size=100))
    pipe.stage(first, Stage.TARGET, 0.125, Step.STAGE_SUCCEEDED)
    pipe.time.now += 0.125
    first.ended(SUCCEEDED)
    second = pipe.execution(batch(30, size=100))
    pipe.stage(second, Stage.TARGET, 0.5, Step.STAGE_PARTIALLY_FAILED)
    pipe.time.now += 0.25
    second.ended(Outcome(frozenset({7}), "refused"))
    assert pipe.metrics() == {
        "Invocations": (2, 2, 1, 1, "None"),
        "Duration": (2, 1000, 250, 750, "Milliseconds"),
        "EventCount": (2, 40, 10, 30, "None"),
        "EventSize": (2, 4000, 1000, 3000, "Bytes"),
        "ExecutionPartiallyFailed": (2, 1, 0, 1, "None"),
        "ExecutionFailed": (2, 0, 0, 0, "None"),
        "ExecutionThrottled": (2, 0, 0, 0, "None"),
        "ExecutionTimeout": (2, 0, 0, 0, "None"),
        "TargetStageDuration": (2, 625, 125, 500, "Milliseconds"),
        "TargetStageFailed": (2, 0, 0, 0, "None"),
        "TargetStagePartiallyFailed": (2, 1, 0, 1, "None"),
        "TargetStageSkipped": (2, 0, 0, 0, "Count"),
    }


def test_a_pipe_with_an_enrichment_has_metrics_of_that_stage_too() -> None:
    pipe = TimedPipe()
    execution = pipe.execution(records(1))
    pipe.stage(execution, Stage.ENRICHMENT, 0.5, Step.STAGE_SUCCEEDED)
    execution.step(Stage.TARGET, Step.STAGE_SKIPPED)
    execution.ended(SUCCEEDED)
    metrics = pipe.metrics()
    assert metrics["EnrichmentStageDuration"] == (1, 500, 500, 500, "Milliseconds")
    assert metrics["EnrichmentStageFailed"] == (1, 0, 0, 0, "None")
    assert metrics["TargetStageSkipped"] == (1, 1, 1, 1, "Count")
    assert "TargetStageDuration" not in metrics


def test_a_stage_that_fails_counts_as_failed() -> None:
    pipe = TimedPipe()
    execution = pipe.execution(records(1))
    pipe.stage(execution, Stage.ENRICHMENT, 0.5, Step.STAGE_FAILED)
    execution.ended(all_failed(records(1), "refused"))
    metrics = pipe.metrics()
    assert metrics["EnrichmentStageFailed"] == (1, 1, 1, 1, "None")
    assert metrics["ExecutionFailed"] == (1, 1, 1, 1, "None")
    assert not any(name.startswith("Target") for name in metrics)


def test_each_datum_names_its_pipe_and_its_time() -> None:
    pipe = TimedPipe()
    pipe.execution(records(1)).ended(SUCCEEDED)
    before = datetime.now(UTC)
    data = pipe.data()
    assert data
    for datum in data:
        assert datum["Dimensions"] == [{"Name": "PipeName", "Value": "orders"}]
        assert before <= datum["Timestamp"] <= datetime.now(UTC)


def test_the_metrics_of_the_account_are_those_of_its_pipes_together() -> None:
    cloudwatch = CloudWatchMetrics()
    one, other = TimedPipe("one", cloudwatch), TimedPipe("other", cloudwatch)
    first, second = one.execution(records(2)), other.execution(records(1))
    first.ended(SUCCEEDED)
    one.execution(records(2)).ended(SUCCEEDED)
    second.ended(all_failed(range(1), "slow down", THROTTLED, True))
    data = one.data("AwsAccountId")
    assert not any(type(n) is bool for d in data for n in d["StatisticValues"].values())
    assert by_name(data) == {
        "Concurrency": (3, 5, 1, 2, "None"),
        "Invocations": (3, 3, 1, 1, "None"),
        "ExecutionThrottled": (3, 1, 0, 1, "None"),
    }
    assert [d["Dimensions"] for d in data] == 3 * [
        [{"Name": "AwsAccountId", "Value": "000000000000"}]
    ]


def test_nothing_is_told_of_a_time_in_which_no_execution_ended() -> None:
    pipe = TimedPipe()
    pipe.read(5)
    pipe.execution(records(1)).step(Stage.TARGET, Step.STAGE_ENTERED)
    assert pipe.metrics() == {}


def test_metrics_are_counted_from_one_look_to_the_next_and_counters_for_ever() -> None:
    pipe = TimedPipe()
    for _ in range(2):
        pipe.execution(records(5)).ended(all_failed(records(5), "refused"))
        assert pipe.metrics()["ExecutionFailed"] == (1, 1, 1, 1, "None")
    assert counted(pipe, "records_failed_total") == 10
    assert counted(pipe, "executions_total", outcome="failed") == 2


# What an execution logs


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FailedCall("sqs", "no queue", 400), ("sqs", "no queue")),
        (None, ("", "could not be reached")),
    ],
)
def test_an_execution_that_fails_says_why_in_the_log(
    error: FailedCall | None, told: tuple[str, str]
) -> None:
    telemetry = LoggedTelemetry("ERROR")
    telemetry.execution(records(1)).ended(all_failed(range(1), "could not be reached", error, True))
    (logged,) = telemetry.logged()
    assert logged["messageType"] == "ExecutionFailed"
    assert (logged["error"]["awsService"], logged["error"]["message"]) == told


@pytest.mark.parametrize(
    ("telemetry", "shown"),
    [
        (lambda: PipeTelemetry(PIPE.arn, PrometheusMetrics()), False),
        (lambda: LoggedTelemetry("TRACE"), False),
        (lambda: LoggedTelemetry("ERROR", "ALL"), True),
    ],
)
def test_calls_are_shown_only_by_a_log_with_execution_data(
    telemetry: Callable[[], PipeTelemetry], shown: bool
) -> None:
    assert telemetry().execution(records(1)).shows_calls is shown


def test_each_batch_has_a_line_in_the_log_at_level_debug(caplog: pytest.LogCaptureFixture) -> None:
    pipe = TimedPipe()
    for level in (logging.INFO, logging.DEBUG):
        with caplog.at_level(level, "eventbridge_pipes"):
            execution = pipe.execution([record(1, size=30)])
            pipe.time.now += 1
            execution.ended(SUCCEEDED)
    assert [r.getMessage() for r in caplog.records] == [
        "batch of 1 (30 bytes): Succeeded in 1000.0 ms"
    ]


# The telemetry of all pipes


class FakeAws:
    """Logs and CloudWatch that keep what they are given. CloudWatch can be away."""

    def __init__(self) -> None:
        self.logs = FakeLogs()
        self.asked: list[Scope] = []
        self.cloudwatch = SimpleNamespace(put_metric_data=self._put_metric_data)
        self.away = False
        self.denied: set[Scope] = set()
        self.tries = 0
        self.parts: list[list[dict[str, Any]]] = []

    def of(self, scope: Scope) -> FakeAws:
        self.asked.append(scope)
        if scope in self.denied:
            raise EndpointConnectionError(endpoint_url=scope.region, error="denied")
        return self

    def _put_metric_data(self, **call: Any) -> None:
        self.tries += 1
        if self.away:
            raise EndpointConnectionError(endpoint_url="http://cloudwatch", error="refused")
        assert call["Namespace"] == "AWS/EventBridge/Pipes"
        self.parts.append(call["MetricData"])

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [datum for part in self.parts for datum in part]


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


def telemetry_of(aws: FakeAws, interval: float) -> Telemetry:
    prometheus = PrometheusMetrics(lambda: [PIPE])
    return Telemetry(aws, prometheus, interval)  # type: ignore[arg-type]


@pytest.fixture
def telemetry(aws: FakeAws) -> Iterator[Telemetry]:
    made = telemetry_of(aws, interval=3000)
    yield made
    made.close()


def test_closing_writes_the_log_and_the_metrics_of_the_last_seconds(
    aws: FakeAws, telemetry: Telemetry
) -> None:
    telemetry.of(logging_pipe("INFO")).execution(records(2)).ended(SUCCEEDED)
    telemetry.close()
    assert aws.logs.streams == {"/pipes/sample sample"}
    assert aws.logs.message_types == ["ExecutionStarted", "ExecutionSucceeded"]
    events = [m for m in aws.metrics if m["MetricName"] == "EventCount"]
    assert [m["StatisticValues"]["Sum"] for m in events] == [2]
    concurrency = [m for m in aws.metrics if m["MetricName"] == "Concurrency"]
    assert [m["Dimensions"][0]["Value"] for m in concurrency] == ["000000000000"]


def test_a_warning_is_shown_until_the_pipe_starts_again(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    pipe = telemetry.of(PIPE)
    pipe.warn(WarningKind.PATH_TO_NOTHING, "100 % of it")
    assert caplog.messages == ["100 % of it"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert counted(pipe, "warnings", warning="path_to_nothing") == 1
    assert counted(pipe, "warnings", warning="escaped_value") == 0
    telemetry.of(PIPE)
    assert counted(pipe, "warnings", warning="path_to_nothing") == 0


def test_a_pipe_that_starts_again_goes_on_counting_and_logs_as_it_is_now_told_to(
    aws: FakeAws, telemetry: Telemetry
) -> None:
    telemetry.of(logging_pipe("OFF")).read(3)
    pipe = telemetry.of(logging_pipe("ERROR"))
    pipe.read(2)
    pipe.execution(records(1)).ended(all_failed(records(1), "refused"))
    telemetry.close()
    assert samples(telemetry.prometheus)["records_read_total", "sample"] == 5
    assert aws.logs.message_types == ["ExecutionFailed"]


def test_a_pipe_that_starts_again_without_a_log_writes_the_rest_of_the_one_before(
    aws: FakeAws, telemetry: Telemetry
) -> None:
    execution = telemetry.of(logging_pipe("INFO")).execution(records(1))
    pipe = telemetry.of(PIPE)
    pipe.execution(records(1)).ended(SUCCEEDED)
    eventually(lambda: aws.logs.message_types == ["ExecutionStarted"])
    execution.ended(SUCCEEDED)
    assert counted(pipe, "batches_in_flight") == 0


def test_nothing_is_told_of_a_pipe_that_is_forgotten(telemetry: Telemetry) -> None:
    telemetry.of(PIPE).read(3)
    telemetry.forget(PIPE.arn)
    telemetry.forget(arn_of("never started"))
    assert "records_read_total{" not in telemetry.prometheus.text().decode()


def test_the_metrics_of_the_last_seconds_of_a_deleted_pipe_are_put_once(
    telemetry: Telemetry,
) -> None:
    telemetry.of(PIPE).execution(records(2)).ended(SUCCEEDED)
    telemetry.forget(PIPE.arn)
    first, then = telemetry.cloudwatch.take(), telemetry.cloudwatch.take()
    events = [metric for metric in first[PIPE.scope] if metric["MetricName"] == "EventCount"]
    assert [metric["StatisticValues"]["Sum"] for metric in events] == [2]
    assert then == {}


def test_metrics_are_put_in_calls_that_cloudwatch_takes(aws: FakeAws, telemetry: Telemetry) -> None:
    telemetry.cloudwatch.add(
        PIPE.scope, "PipeName", "sample", {str(number): 1.0 for number in range(1200)}
    )
    telemetry.close(grace=5)
    assert [len(part) for part in aws.parts] == [500, 500, 200]


def test_an_outage_of_cloudwatch_is_told_once_and_its_end_too(
    aws: FakeAws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.away = True
    telemetry = telemetry_of(aws, interval=0.001)
    pipe = telemetry.of(PIPE)

    def tried(often: int) -> bool:
        pipe.execution(records(1)).ended(SUCCEEDED)
        return aws.tries >= often

    with caplog.at_level("INFO", "eventbridge_pipes"):
        eventually(lambda: tried(4))
        aws.away = False
        eventually(lambda: tried(5) and aws.parts)
        telemetry.close(grace=5)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_metrics_that_cannot_be_put_are_lost_and_the_next_are_put(
    aws: FakeAws, telemetry: Telemetry
) -> None:
    telemetry.cloudwatch.add(PIPE.scope, "PipeName", "other", {"Invocations": 1.0})
    telemetry.cloudwatch.take()
    telemetry.cloudwatch.add(PIPE.scope, "PipeName", "sample", {"Invocations": 1.0})
    telemetry.close(grace=5)
    assert [datum["Dimensions"][0]["Value"] for datum in aws.metrics] == ["sample"]


def test_nothing_is_put_when_nothing_happened(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: deque[float] = deque()
    take = CloudWatchMetrics.take

    def looked(self: CloudWatchMetrics) -> Any:
        looks.append(1)
        return take(self)

    monkeypatch.setattr(CloudWatchMetrics, "take", looked)
    telemetry = telemetry_of(aws, interval=0.001)
    eventually(lambda: len(looks) > 1)
    telemetry.close(grace=5)
    assert aws.tries == 0


def test_without_an_interval_nothing_is_put(aws: FakeAws) -> None:
    telemetry = telemetry_of(aws, interval=0)
    telemetry.of(PIPE).execution(records(2)).ended(SUCCEEDED)
    telemetry.forget(PIPE.arn)
    telemetry.close()
    assert aws.tries == 0


def test_the_pauses_grow_while_metrics_cannot_be_put() -> None:
    pauses = [pause_after(failures, 10) for failures in range(20)]
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses[-1] == LONGEST_PAUSE
    assert pause_after(5, interval=3600) == 3600


def test_pipes_of_one_name_in_two_regions_have_metrics_of_their_own(
    aws: FakeAws, telemetry: Telemetry
) -> None:
    other = replace(PIPE, arn=Scope("111111111111", "eu-west-1").pipe_arn(PIPE.name))
    for pipe, count in ((PIPE, 1), (other, 2)):
        telemetry.of(pipe).execution(records(count)).ended(SUCCEEDED)
    telemetry.forget(PIPE.arn)
    delivered = "eventbridge_pipes_records_delivered_total"
    found = telemetry.prometheus.text().decode()
    assert f'{delivered}{{account="111111111111",pipe="sample",region="eu-west-1"}} 2.0' in found
    assert f'{delivered}{{account="000000000000"' not in found
    telemetry.close(grace=5)
    assert aws.asked == [PIPE.scope, other.scope]
    counts = [m["StatisticValues"]["Sum"] for m in aws.metrics if m["MetricName"] == "EventCount"]
    assert counts == [1, 2]


def test_an_account_whose_metrics_are_refused_does_not_lose_those_of_others(
    aws: FakeAws, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    scopes = [Scope(str(number) * 12, "us-east-1") for number in range(3)]
    aws.denied = {scopes[1]}
    for scope in scopes:
        telemetry.cloudwatch.add(scope, "PipeName", scope.account, {"Invocations": 1.0})
    with caplog.at_level("INFO", "eventbridge_pipes"):
        telemetry.close(grace=5)
    put = [datum["Dimensions"][0]["Value"] for datum in aws.metrics]
    assert put == ["000000000000", "222222222222"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
