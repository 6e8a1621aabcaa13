"""The watch of a pipe: what its workers call, and who hears of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from eventbridge_pipes.log import PipeLog
from eventbridge_pipes.outcome import CallError, Fault, Succeeded, all_failed
from eventbridge_pipes.settings import Settings
from eventbridge_pipes.telemetry.execution_log import ExecutionLog
from eventbridge_pipes.telemetry.log_records import Level
from eventbridge_pipes.telemetry.tally import Concurrency, Tally
from eventbridge_pipes.telemetry.watch import Execution, Stage, Step, Watch
from eventbridge_pipes.telemetry.watcher import PipeWatch
from eventbridge_pipes.telemetry.watchers import Watchers
from pipes_samples import PIPE, record, records

LOG_GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/pipes/sample"


class Clock:
    """Goes on by a second each time it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class Kept:
    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def put(self, timestamp: int, message: str) -> None:
        self.records.append(json.loads(message))


def watch_of(tally: Tally, execution_log: ExecutionLog | None = None) -> Watch:
    return PipeWatch(tally, Concurrency(), execution_log, PipeLog("sample"), Clock())


def test_the_stages_are_timed_from_their_entry_to_their_end() -> None:
    tally = Tally()
    execution = watch_of(tally).execution([record(1, size=30), record(2, size=50)])  # 1
    execution.step(Stage.ENRICHMENT, Step.STAGE_ENTERED)  # 2
    execution.step(Stage.ENRICHMENT, Step.INVOCATION_STARTED)
    execution.step(Stage.ENRICHMENT, Step.STAGE_SUCCEEDED)  # 3
    execution.step(Stage.TARGET, Step.STAGE_SKIPPED)
    execution.ended(Succeeded())  # 4
    done = tally.take_activity()
    assert (done.duration.total, done.records.total, done.size.total) == (3, 2, 80)
    assert done.stage_durations[Stage.ENRICHMENT].total == 1
    assert done.stage_durations[Stage.TARGET].count == 0
    assert done.stage_ends[Stage.TARGET, Step.STAGE_SKIPPED] == 1


def test_what_the_workers_tell_is_counted() -> None:
    tally = Tally()
    watch = watch_of(tally)
    watch.read(records(9))
    watch.filtered(2)
    watch.given_up(3, dead_lettered=True)
    watch.given_up(1, dead_lettered=False)
    watch.execution(records(4)).ended(all_failed(records(4), "refused"))
    watch.execution(records(5))
    watch.shard_begun("shard-1", lambda: 2.5)
    totals = tally.totals()
    assert (totals.read, totals.filtered) == (9, 2)
    assert (totals.dead_lettered, totals.dropped) == (3, 1)
    assert (totals.delivered, totals.failed, totals.in_flight) == (0, 4, 1)
    assert totals.lags["shard-1"]() == 2.5


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CallError("sqs", "no queue", 400), ("sqs", "no queue")),
        (None, ("", "could not be reached")),
    ],
)
def test_an_execution_that_fails_says_why_in_the_log(
    error: CallError | None, told: tuple[str, str]
) -> None:
    kept = Kept()
    watch = watch_of(Tally(), ExecutionLog(PIPE.arn, Level.ERROR, False, kept))
    watch.execution(records(1)).ended(Fault("could not be reached", error))
    (logged,) = kept.records
    assert logged["messageType"] == "ExecutionFailed"
    assert (logged["error"]["awsService"], logged["error"]["message"]) == told


def test_a_call_is_wanted_only_by_a_log_with_execution_data() -> None:
    def wanted(execution_log: ExecutionLog | None) -> bool:
        execution: Execution = watch_of(Tally(), execution_log).execution(records(1))
        return execution.wanted

    assert not wanted(None)
    assert not wanted(ExecutionLog(PIPE.arn, Level.TRACE, False, Kept()))
    assert wanted(ExecutionLog(PIPE.arn, Level.ERROR, True, Kept()))


def test_each_batch_has_a_line_in_the_log_at_level_debug(caplog: pytest.LogCaptureFixture) -> None:
    for level in (logging.INFO, logging.DEBUG):
        with caplog.at_level(level, "eventbridge_pipes"):
            watch_of(Tally()).execution([record(1, size=30)]).ended(Succeeded())
    assert [r.getMessage() for r in caplog.records] == [
        "batch of 1 (30 bytes): Succeeded in 1000.0 ms"
    ]


class FakeAws:
    """Logs and CloudWatch that keep what they are given."""

    def __init__(self) -> None:
        self.streams: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.metrics: list[dict[str, Any]] = []
        self.logs = SimpleNamespace(put_log_events=self._put_log_events)
        self.cloudwatch = SimpleNamespace(put_metric_data=self._put_metric_data)

    def _put_log_events(self, **call: Any) -> None:
        self.streams.append(f"{call['logGroupName']} {call['logStreamName']}")
        self.messages += [json.loads(event["message"]) for event in call["logEvents"]]

    def _put_metric_data(self, **call: Any) -> None:
        assert call["Namespace"] == "AWS/EventBridge/Pipes"
        self.metrics += call["MetricData"]


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture
def watchers(aws: FakeAws) -> Iterator[Watchers]:
    made = Watchers(aws, lambda: [PIPE], metrics_interval=3000)  # type: ignore[arg-type]
    yield made
    made.close()


def logging_pipe(level: str) -> Any:
    destination = {"LogGroupArn": LOG_GROUP}
    return replace(
        PIPE, log_configuration={"CloudwatchLogsLogDestination": destination, "Level": level}
    )


def test_closing_writes_the_log_and_the_metrics_of_the_last_seconds(
    aws: FakeAws, watchers: Watchers
) -> None:
    watchers.of(logging_pipe("INFO")).execution(records(2)).ended(Succeeded())
    watchers.close()
    assert aws.streams == ["/pipes/sample sample"]
    assert [m["messageType"] for m in aws.messages] == ["ExecutionStarted", "ExecutionSucceeded"]
    events = [m for m in aws.metrics if m["MetricName"] == "EventCount"]
    assert [m["StatisticValues"]["Sum"] for m in events] == [2]
    concurrency = [m for m in aws.metrics if m["MetricName"] == "Concurrency"]
    assert [m["Dimensions"][0]["Value"] for m in concurrency] == ["000000000000"]


def test_a_pipe_that_starts_again_goes_on_counting_and_logs_as_it_is_now_told_to(
    aws: FakeAws, watchers: Watchers
) -> None:
    watchers.of(logging_pipe("OFF")).read(records(3))
    watch = watchers.of(logging_pipe("ERROR"))
    watch.read(records(2))
    watch.execution(records(1)).ended(all_failed(records(1), "refused"))
    watchers.close()
    assert 'eventbridge_pipes_records_read_total{pipe="sample"} 5.0' in text(watchers)
    assert [message["messageType"] for message in aws.messages] == ["ExecutionFailed"]


def test_nothing_is_told_of_a_pipe_that_is_forgotten(watchers: Watchers) -> None:
    watchers.of(PIPE).read(records(3))
    watchers.forget(PIPE.name)
    watchers.forget("never watched")
    assert "records_read_total{" not in text(watchers)


def test_the_metrics_of_the_last_seconds_of_a_deleted_pipe_are_put_once(
    watchers: Watchers,
) -> None:
    watchers.of(PIPE).execution(records(2)).ended(Succeeded())
    watchers.forget(PIPE.name)
    first, then = watchers.metrics(), watchers.metrics()
    events = [metric for metric in first if metric["MetricName"] == "EventCount"]
    assert [metric["StatisticValues"]["Sum"] for metric in events] == [2]
    assert then == []


def text(watchers: Watchers) -> str:
    return watchers.exposition.text().decode()


@pytest.mark.parametrize("seconds", ["-1", "3601", "nan", "soon"])
def test_an_interval_that_is_none_is_refused(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        Settings.read(["--state", "s", f"--metrics-interval={seconds}"], {})
    assert "is not a number of seconds from 0 to 3600" in capsys.readouterr().err


def test_the_settings_of_watching_have_defaults_and_can_be_given() -> None:
    settings = Settings.read(["--state", "s"], {})
    assert (settings.log_level, settings.metrics_interval) == ("info", 10)
    given = ["--state", "s", "--log-level", "debug", "--metrics-interval", "0"]
    settings = Settings.read(given, {})
    assert (settings.log_level, settings.metrics_interval) == ("debug", 0)
