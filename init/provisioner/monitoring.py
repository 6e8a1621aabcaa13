"""The part of the description that watches: what sets an alarm off, and what a dashboard shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from provisioner.account import Account
from provisioner.monitors import NOTE_HEIGHT, Alarm, Body, Dashboard, Metric
from provisioner.names import Names
from provisioner.options import Options
from provisioner.resources import Resource

NAMESPACE = "Inventory"

# Rows of a dashboard are 24 units wide.
_WIDTH, _HEIGHT = 12, 6

Line = tuple[Metric, str, str]
"""A metric, its statistic, and what it is called."""


def monitoring(names: Names, options: Options, account: Account) -> tuple[Resource, ...]:
    """The alarms, which publish to the topic for people, and the dashboard."""
    return (*_alarms(names, options, account), _dashboard(names, account))


def of_function(names: Names, metric: str) -> Metric:
    """One that the function itself reports, in the embedded metric format."""
    return Metric(NAMESPACE, metric, ("service", names.function))


def _alarms(names: Names, options: Options, account: Account) -> list[Alarm]:
    def alarm(name: str, metric: Metric, threshold: float, description: str) -> Alarm:
        full_name = f"{names.alarms}-{name}"
        return Alarm(
            name=full_name,
            about=name,
            arn=account.arn("cloudwatch", f"alarm:{full_name}"),
            description=description,
            metric=metric,
            statistic="Sum",
            threshold=threshold,
            periods=5,
            breaching=3,
            action=account.arn("sns", names.topic),
        )

    lag = alarm(
        "lag",
        of_function(names, "newest_event_age"),
        options.lag_alarm_seconds,
        "The function lags behind the stream: the newest event of each batch is old.",
    )
    rejected = alarm(
        "rejected-share",
        of_function(names, "rejected_share"),
        options.rejected_share_alarm_percent,
        "Too many events break the contract: this is their share of a batch in percent.",
    )
    dead_letters = alarm(
        "dead-letters",
        _waiting(names.dead_letter_queue),
        0,
        "The pipe gave up on batches. They are in the dead-letter queue.",
    )
    return [
        replace(lag, statistic="Maximum"),
        alarm(
            "failed-records",
            of_function(names, "events_failed"),
            0,
            "Records fail and are retried, because DynamoDB or SNS is down or denies calls.",
        ),
        alarm(
            "function-errors",
            Metric("AWS/Lambda", "Errors", ("FunctionName", names.function)),
            0,
            "The function raises an exception, times out or runs out of memory.",
        ),
        replace(dead_letters, statistic="Maximum", periods=1, breaching=1),
        replace(rejected, statistic="Average"),
    ]


def _dashboard(names: Names, account: Account) -> Dashboard:
    outcomes = ("applied", "duplicate", "not_found", "rejected", "failed")
    stream = ("StreamName", names.stream)
    pipe = ("PipeName", names.pipe)
    function = ("FunctionName", names.function)
    panels: list[tuple[str, Sequence[Line]]] = [
        (
            "Events by outcome",
            [(of_function(names, f"events_{o}"), "Sum", o.replace("_", " ")) for o in outcomes],
        ),
        (
            "Lag: age of the newest event (s)",
            [
                (of_function(names, "newest_event_age"), "p50", "p50"),
                (of_function(names, "newest_event_age"), "p99", "p99"),
            ],
        ),
        (
            "Records put on the stream",
            [
                (Metric("AWS/Kinesis", "IncomingRecords", stream), "Sum", "put"),
                (
                    Metric("AWS/Kinesis", "WriteProvisionedThroughputExceeded", stream),
                    "Sum",
                    "refused",
                ),
            ],
        ),
        (
            "The pipe",
            [
                (Metric("AWS/EventBridge/Pipes", "Invocations", pipe), "Sum", "invocations"),
                (Metric("AWS/EventBridge/Pipes", "ExecutionFailed", pipe), "Sum", "failed"),
                (
                    Metric("AWS/EventBridge/Pipes", "ExecutionThrottled", pipe),
                    "Sum",
                    "throttled",
                ),
            ],
        ),
        (
            "Batches: records and milliseconds",
            [
                (of_function(names, "batch_size"), "Average", "records"),
                (of_function(names, "batch_duration"), "p50", "p50"),
                (of_function(names, "batch_duration"), "p99", "p99"),
            ],
        ),
        (
            "The function",
            [
                (Metric("AWS/Lambda", "Errors", function), "Sum", "errors"),
                (Metric("AWS/Lambda", "Throttles", function), "Sum", "throttles"),
                (Metric("AWS/Lambda", "ConcurrentExecutions", function), "Maximum", "at a time"),
            ],
        ),
        (
            "Failed events in the queues",
            [
                (_waiting(names.rejected_queue), "Maximum", "rejected"),
                (_waiting(names.dead_letter_queue), "Maximum", "dead letters"),
            ],
        ),
    ]
    widgets = [
        _widget(place, title, lines, account.region) for place, (title, lines) in enumerate(panels)
    ]
    return Dashboard(
        name=names.dashboard,
        # A dashboard belongs to no Region.
        arn=f"arn:{account.partition}:cloudwatch::{account.id}:dashboard/{names.dashboard}",
        body=Body({"widgets": widgets}),
    )


def _widget(place: int, title: str, lines: Sequence[Line], region: str) -> dict[str, object]:
    return {
        "type": "metric",
        "x": place % 2 * _WIDTH,
        "y": NOTE_HEIGHT + place // 2 * _HEIGHT,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": title,
            "region": region,
            "view": "timeSeries",
            "period": 60,
            "metrics": [
                [m.namespace, m.name, *m.dimension, {"stat": statistic, "label": label}]
                for m, statistic, label in lines
            ],
        },
    }


def _waiting(queue: str) -> Metric:
    return Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", queue))
