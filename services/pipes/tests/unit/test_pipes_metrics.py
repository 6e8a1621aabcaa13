"""What the pipes did, as metrics of CloudWatch and as those of Prometheus."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from prometheus_client.parser import text_string_to_metric_families

from eventbridge_pipes.outcome import CallError, Failed, Fault, Outcome, Succeeded
from eventbridge_pipes.telemetry.endings import Ending, ending
from eventbridge_pipes.telemetry.exposition import Exposition, PipesCollector
from eventbridge_pipes.telemetry.metric_publisher import LONGEST_PAUSE, MetricPublisher, pause_after
from eventbridge_pipes.telemetry.metrics import account_metrics, pipe_metrics
from eventbridge_pipes.telemetry.tally import Activity, Concurrency, Ended, StageEnd, Tally
from eventbridge_pipes.telemetry.watch import Stage, Step
from pipes_samples import PIPE
from waiting import eventually

NOW = datetime(2024, 5, 1, tzinfo=UTC)
THROTTLED = CallError("lambda", "slow down", 429, throttled=True)
TIMED_OUT = CallError("lambda", "no answer", timed_out=True)
ALL = frozenset({0, 1, 2})


@pytest.mark.parametrize(
    ("outcome", "how"),
    [
        (Succeeded(), Ending.SUCCEEDED),
        (Failed(frozenset({1}), "refused"), Ending.PARTIALLY_FAILED),
        (Failed(ALL, "refused"), Ending.FAILED),
        (Failed(ALL, "late", TIMED_OUT), Ending.TIMED_OUT),
        (Fault("down"), Ending.FAILED),
        (Fault("slow down", THROTTLED), Ending.THROTTLED),
        (Fault("slow down", THROTTLED, frozenset({2})), Ending.PARTIALLY_FAILED),
    ],
)
def test_how_an_execution_ended(outcome: Outcome, how: Ending) -> None:
    assert ending(outcome, count=3) is how


def activity(*executions: Ended) -> Activity:
    done = Activity()
    for execution in executions:
        done.add(execution)
    return done


TARGET_DONE = StageEnd(Stage.TARGET, Step.STAGE_SUCCEEDED, 0.2)
BUSY = activity(
    Ended(Ending.SUCCEEDED, 10, 0, 1000, 0.25, [TARGET_DONE]),
    Ended(
        Ending.PARTIALLY_FAILED,
        30,
        1,
        3000,
        0.75,
        [StageEnd(Stage.TARGET, Step.STAGE_PARTIALLY_FAILED, 0.6)],
    ),
)


def by_name(data: list[Any]) -> dict[str, tuple[float, float, float, float, str]]:
    found = {}
    for datum in data:
        values = datum["StatisticValues"]
        numbers = [values[n] for n in ("SampleCount", "Sum", "Minimum", "Maximum")]
        found[datum["MetricName"]] = (*numbers, datum["Unit"])
    assert len(found) == len(data)
    return found


def test_the_metrics_of_a_pipe_are_those_of_aws() -> None:
    assert by_name(list(pipe_metrics("orders", BUSY, NOW))) == {
        "Invocations": (2, 2, 1, 1, "None"),
        "Duration": (2, 1000, 250, 750, "Milliseconds"),
        "EventCount": (2, 40, 10, 30, "None"),
        "EventSize": (2, 4000, 1000, 3000, "Bytes"),
        "ExecutionPartiallyFailed": (2, 1, 0, 1, "None"),
        "ExecutionFailed": (2, 0, 0, 0, "None"),
        "ExecutionThrottled": (2, 0, 0, 0, "None"),
        "ExecutionTimeout": (2, 0, 0, 0, "None"),
        "TargetStageDuration": (2, 800, 200, 600, "Milliseconds"),
        "TargetStageFailed": (2, 0, 0, 0, "None"),
        "TargetStagePartiallyFailed": (2, 1, 0, 1, "None"),
        "TargetStageSkipped": (2, 0, 0, 0, "Count"),
    }


def test_a_pipe_with_an_enrichment_has_metrics_of_that_stage_too() -> None:
    enriched = StageEnd(Stage.ENRICHMENT, Step.STAGE_SUCCEEDED, 0.1)
    skipped = StageEnd(Stage.TARGET, Step.STAGE_SKIPPED, None)
    done = activity(Ended(Ending.SUCCEEDED, 1, 0, 5, 0.1, [enriched, skipped]))
    metrics = by_name(list(pipe_metrics("orders", done, NOW)))
    assert metrics["EnrichmentStageDuration"] == (1, 100, 100, 100, "Milliseconds")
    assert metrics["EnrichmentStageFailed"] == (1, 0, 0, 0, "None")
    assert metrics["TargetStageSkipped"] == (1, 1, 1, 1, "Count")
    assert "TargetStageDuration" not in metrics


def test_each_datum_names_its_pipe_and_its_time() -> None:
    for datum in pipe_metrics("orders", BUSY, NOW):
        assert datum["Dimensions"] == [{"Name": "PipeName", "Value": "orders"}]
        assert datum["Timestamp"] == NOW


def test_the_metrics_of_the_account_are_those_of_its_pipes_together() -> None:
    concurrency = Concurrency()
    concurrency.begun()
    concurrency.begun()
    throttled = activity(Ended(Ending.THROTTLED, 1, 1, 5, 0.1))
    data = list(account_metrics("0", [BUSY, throttled], concurrency.take(), NOW))
    assert by_name(data) == {
        "Concurrency": (2, 3, 1, 2, "None"),
        "Invocations": (3, 3, 1, 1, "None"),
        "ExecutionThrottled": (3, 1, 0, 1, "None"),
    }
    assert {d["Name"] for datum in data for d in datum["Dimensions"]} == {"AwsAccountId"}


def test_nothing_is_told_of_a_time_in_which_nothing_happened() -> None:
    assert pipe_metrics("orders", Activity(), NOW) == []
    assert account_metrics("0", [Activity()], Concurrency().take(), NOW) == []


def test_activity_is_counted_from_one_look_to_the_next_and_totals_for_ever() -> None:
    tally = Tally()
    for _ in range(2):
        tally.begun()
        tally.ended(Ended(Ending.FAILED, 5, 2, 50, 0.1))
        assert tally.take_activity().endings == {Ending.FAILED: 1}
    totals = tally.totals()
    assert (totals.delivered, totals.failed, totals.in_flight) == (6, 4, 0)
    assert totals.executions == {Ending.FAILED: 2}


class CloudWatch:
    """Takes metrics, or fails, and lets a test wait for the tries."""

    def __init__(self) -> None:
        self.broken = False
        self.tries = 0
        self.taken: list[list[Any]] = []

    def put(self, data: list[Any]) -> None:
        self.tries += 1
        if self.broken:
            raise EndpointConnectionError(endpoint_url="http://cloudwatch", error="refused")
        self.taken.append(data)


def test_metrics_are_put_in_calls_that_cloudwatch_takes() -> None:
    cloudwatch = CloudWatch()
    data: list[Any] = [{"MetricName": str(number)} for number in range(1200)]
    publisher = MetricPublisher(lambda: [data.pop(0) for _ in range(len(data))], cloudwatch.put, 60)
    publisher.close()
    publisher.join(5)
    assert [len(part) for part in cloudwatch.taken] == [500, 500, 200]


def test_an_outage_of_cloudwatch_is_told_once_and_its_end_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cloudwatch = CloudWatch()
    cloudwatch.broken = True
    with caplog.at_level("INFO", "eventbridge_pipes"):
        publisher = MetricPublisher(lambda: [{"MetricName": "m"}], cloudwatch.put, 0.001)
        eventually(lambda: cloudwatch.tries >= 4)
        cloudwatch.broken = False
        eventually(lambda: cloudwatch.taken)
        publisher.close()
        publisher.join(5)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_nothing_is_put_when_nothing_happened() -> None:
    cloudwatch = CloudWatch()
    looked = threading.Event()
    publisher = MetricPublisher(lambda: looked.set() or [], cloudwatch.put, 0.001)  # type: ignore[func-returns-value]
    assert looked.wait(5)
    publisher.close()
    publisher.join(5)
    assert cloudwatch.tries == 0


def test_the_pauses_grow_while_metrics_cannot_be_put() -> None:
    pauses = [pause_after(failures, 10) for failures in range(20)]
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses[-1] == LONGEST_PAUSE
    assert pause_after(5, interval=3600) == 3600


def scrape(**tallies: Tally) -> dict[tuple[str, ...], float]:
    """The samples of the pipes by their names, pipes and other labels."""
    exposition = Exposition(
        PipesCollector(lambda: {n: t.totals() for n, t in tallies.items()}, lambda: [PIPE])
    )
    return {
        (sample.name, sample.labels.pop("pipe"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition.text().decode())
        for sample in family.samples
        if sample.name.startswith("eventbridge_pipes_")
    }


def test_prometheus_sees_the_records_of_a_pipe() -> None:
    tally = Tally()
    tally.read(10)
    tally.filtered(3)
    tally.given_up(1, dead_lettered=True)
    tally.given_up(2, dead_lettered=False)
    tally.begun()
    tally.ended(Ended(Ending.PARTIALLY_FAILED, 7, 3, 70, 0.1))
    tally.begun()
    samples = scrape(orders=tally)
    records = {
        name: samples[f"eventbridge_pipes_records_{name}_total", "orders"]
        for name in ("read", "filtered", "delivered", "failed", "dead_lettered", "dropped")
    }
    assert records == {
        "read": 10,
        "filtered": 3,
        "delivered": 4,
        "failed": 3,
        "dead_lettered": 1,
        "dropped": 2,
    }
    assert samples["eventbridge_pipes_executions_total", "orders", "partially_failed"] == 1
    assert samples["eventbridge_pipes_executions_total", "orders", "timed_out"] == 0
    assert samples["eventbridge_pipes_batches_in_flight", "orders"] == 1


def test_prometheus_sees_the_lag_of_each_shard_as_it_is_when_it_asks() -> None:
    tally = Tally()
    lags = iter([1.5, 2.5])
    tally.shard_begun("shard-1", lambda: next(lags))
    assert scrape(orders=tally)["eventbridge_pipes_shard_lag_seconds", "orders", "shard-1"] == 1.5
    assert scrape(orders=tally)["eventbridge_pipes_shard_lag_seconds", "orders", "shard-1"] == 2.5
    tally.shard_ended("shard-1")
    assert ("eventbridge_pipes_shard_lag_seconds", "orders", "shard-1") not in scrape(orders=tally)


def test_prometheus_sees_the_state_of_each_pipe_and_the_memory_of_the_process() -> None:
    assert scrape() == {("eventbridge_pipes_pipe_state", "sample", "CREATING"): 1}
    text = Exposition(PipesCollector(dict, list)).text().decode()
    assert "process_resident_memory_bytes" in text
