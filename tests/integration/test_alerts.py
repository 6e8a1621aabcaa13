"""The alerts as they are deployed: the function through its real queue, topics and table."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from stack import Stack
from subscriber import Alert, subscribed
from waiting import eventually


def broken(event_id: str) -> tuple[str, bytes]:
    product = {"product_id": f"P-{event_id}", "product_name": "Tablet", "quantity": -1}
    event = {"event_type": "product_added", "event_id": event_id, "product": product}
    return event_id, json.dumps(event).encode()


def total(alerts: list[Alert]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for alert in alerts:
        counts[alert["reason"]] += alert["count"]
    return counts


def test_a_rejected_event_is_one_message_that_can_be_filtered_by(own_stack: Stack) -> None:
    everything = subscribed(own_stack, "all")
    mine = subscribed(own_stack, "mine", {"alert": ["rejected"], "product_id": ["P-E1", "P-E9"]})
    theirs = subscribed(own_stack, "theirs", {"event_id": [{"anything-but": ["E1"]}]})

    [(shard_id, number, payload)] = own_stack.put([broken("E1")])

    [alert] = eventually(everything)
    assert alert["subject"] == "1 event rejected: product.quantity.invalid"
    assert alert["attributes"] == {
        "alert": "rejected",
        "reason": "product.quantity.invalid",
        "count": "1",
        "product_id": '["P-E1"]',
        "event_id": '["E1"]',
    }
    [sample] = alert["samples"]
    assert (sample["shard_id"], int(sample["sequence_number"])) == (shard_id, number)
    assert sample["payload"] == payload.decode()
    assert eventually(mine)[0]["samples"] == [sample]
    assert theirs() == []
    assert own_stack.rejected().poll() == {number}


def test_a_storm_is_a_message_a_second_and_reason_and_every_event_is_in_the_queue(
    own_stack: Stack,
) -> None:
    everything = subscribed(own_stack, "all")
    published: dict[str, list[float]] = defaultdict(list)

    placed = own_stack.put(each for n in range(150) for each in (broken(f"E{n}"), (f"K{n}", b"{")))

    expected = Counter({"product.quantity.invalid": 150, "data.not_json": 150})
    eventually(lambda: total(everything()) == expected, timeout=60, pause=0.2)
    lines = eventually(lambda: alert_lines(own_stack, len(everything())))
    for line in lines:
        published[line["cause"]].append(line["at"])
    for times in published.values():
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    assert own_stack.rejected().poll() == {number for _, number, _ in placed}
    for alert in everything():
        assert 1 <= len(alert["samples"]) <= min(10, alert["count"])


def alert_lines(stack: Stack, count: int) -> list[dict[str, Any]]:
    """What the function logged of its publications, in their order; none until all are there."""
    name = f"/aws/lambda/{stack.names.alerts_function}"
    events = stack.clients.logs.filter_log_events(logGroupName=name)["events"]
    lines = [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
    alerts = sorted((x for x in lines if x["message"] == "alert"), key=lambda line: line["at"])
    return alerts if len(alerts) == count else []
