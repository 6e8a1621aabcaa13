"""CloudWatch has the metrics that a log event contains in the embedded metric format.

MiniStack 1.5.33: `_append_log_events` in `services/cloudwatch_logs.py` stores the log events of
functions and of PutLogEvents, and nothing reads metrics from them. Here it also stores the metrics
in CloudWatch. MiniStack evaluates alarms only at PutMetricData, and looks at all data points then.
So here it also evaluates them within ten seconds of a log event with metrics.
AWS: CloudWatch extracts the metrics from each log event, in any log group.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html

To report:
    CloudWatch Logs: metrics in the embedded metric format are not extracted

    Expected: after this call, ListMetrics with Namespace="n" returns the metric "m".
    To see it, create the log group "g" with the stream "s" and run:
        directive = {"Namespace": "n", "Dimensions": [[]], "Metrics": [{"Name": "m"}]}
        now = int(time.time() * 1000)
        message = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, "m": 1}
        event = {"timestamp": now, "message": json.dumps(message)}
        logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[event])
    Proposed change: let `_append_log_events` pass the metrics of each event to
    `cloudwatch._store_datum`, and evaluate the alarms later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from embedded.metric_format import Metric, embedded_metrics

ALARM_SECONDS = 10.0

Append = Callable[[dict[str, Any], list[dict[str, Any]]], None]


def apply() -> None:
    cloudwatch_logs._append_log_events = _with_metrics(cloudwatch_logs._append_log_events)


def _with_metrics(append: Append) -> Append:
    evaluation: asyncio.TimerHandle | None = None

    def appended(stream: dict[str, Any], events: list[dict[str, Any]]) -> None:
        from ministack import app  # it has to be imported after the corrections

        append(stream, events)
        metrics = [metric for event in events for metric in embedded_metrics(event["message"])]
        if metrics:  # invocations end in other threads than the one that handles requests
            app._MAIN_LOOP.call_soon_threadsafe(store, metrics)

    def store(metrics: list[Metric]) -> None:
        nonlocal evaluation
        for namespace, datum in metrics:
            name, unit, values = datum["MetricName"], datum["Unit"], datum["Values"]
            dimensions = {d["Name"]: d["Value"] for d in datum["Dimensions"]}
            at = datum["Timestamp"].timestamp()
            cloudwatch._store_datum(
                namespace, name, dimensions, at, unit, None, values, counts=None, stat_values=None
            )
        loop = asyncio.get_running_loop()
        if evaluation is None or evaluation.when() <= loop.time():
            evaluation = loop.call_later(ALARM_SECONDS, cloudwatch._evaluate_all_alarms)

    return appended
