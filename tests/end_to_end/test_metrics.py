"""What the function embeds in its log is in CloudWatch, whoever carries it there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from stack import Stack
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


def statistics(stack: Stack, metric: str) -> tuple[float, float, float]:
    """Samples, sum and maximum of a metric of this stack's function, in the hours around now."""
    now = datetime.now(UTC)
    points = stack.session.client("cloudwatch").get_metric_statistics(
        Namespace="Inventory",
        MetricName=metric,
        Dimensions=[{"Name": "service", "Value": stack.names.function}],
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
    own_stack.log._on_batch = batches.append
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
    eventually(lambda: statistics(own_stack, "batch_size")[1] >= METRICS["batch_size"], timeout=60)
    assert {metric: statistics(own_stack, metric)[1] for metric in METRICS} == METRICS
    for metric in (*METRICS, "batch_duration", "newest_event_age"):
        samples, _, greatest = statistics(own_stack, metric)
        assert samples == len(batches), metric
        assert greatest >= 0, metric
