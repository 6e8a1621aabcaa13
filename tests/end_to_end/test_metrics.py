"""What the function embeds in its log is in CloudWatch, whoever carries it there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial

from stack import Stack
from subscriber import Client
from waiting import eventually

METRICS = {
    "events_applied": 2,
    "events_duplicate": 0,
    "events_not_found": 1,
    "events_rejected": 1,
    "events_failed": 0,
    "batch_size": 4,
}


def event(kind: str, product_id: str, **product: object) -> tuple[str, bytes]:
    product |= {"product_id": product_id}
    return product_id, json.dumps({"event_type": f"product_{kind}", "product": product}).encode()


def statistics(client: Client, function: str, metric: str) -> tuple[float, float, float]:
    """Samples, sum and maximum of a metric of a function, in the hours around now."""
    now = datetime.now(UTC)
    points = client("cloudwatch").get_metric_statistics(
        Namespace="Inventory",
        MetricName=metric,
        Dimensions=[{"Name": "service", "Value": function}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["SampleCount", "Sum", "Maximum"],
    )["Datapoints"]
    return (
        sum(point["SampleCount"] for point in points),
        sum(point["Sum"] for point in points),
        max((point["Maximum"] for point in points), default=-1.0),
    )


def test_what_the_function_counts_is_in_cloudwatch_each_batch_once(own_stack: Stack) -> None:
    batches: list[object] = []
    own_stack.log.on_batch = batches.append
    own_stack.await_handled(
        own_stack.put(
            [
                event("added", "P1", product_name="Desk", quantity=5),
                event("quantity_changed", "P1", quantity_change=-2),
                event("quantity_changed", "P2", quantity_change=1),
                event("added", "P3"),
            ]
        )
    )
    measured = partial(statistics, own_stack.client, own_stack.names.function)
    eventually(lambda: measured("batch_size")[1] >= METRICS["batch_size"], timeout=60)
    assert {metric: measured(metric)[1] for metric in METRICS} == METRICS
    for metric in (*METRICS, "batch_duration", "newest_event_age"):
        samples, _, greatest = measured(metric)
        assert samples == len(batches), metric
        assert greatest >= 0, metric
