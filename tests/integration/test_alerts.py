"""The alerts as they are deployed: the function through its real queue, topics and table."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from servers import lead_to, pipeline
from stack import Backend, Stack
from subscriber import Alert, subscribed
from waiting import eventually

STORM = 60
"""Events of each reason."""


def broken(event_id: str) -> tuple[str, bytes]:
    product = {"product_id": f"P-{event_id}", "product_name": "Tablet", "quantity": -1}
    event = {"event_type": "product_added", "event_id": event_id, "product": product}
    return event_id, json.dumps(event).encode()


def total(alerts: list[Alert]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for alert in alerts:
        counts[alert["reason"]] += alert["count"]
    return counts


@pytest.fixture(scope="module")
def alerted_stack(
    backend: Backend, settings: Mapping[str, str], function_zip: Path
) -> Iterator[Stack]:
    with pipeline(backend, settings, function_zip.read_bytes()) as stack:
        yield stack


@pytest.fixture
def alerted(alerted_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A pipeline of these tests' own: all that its function logged is read."""
    lead_to(alerted_stack, monkeypatch)
    return alerted_stack


def test_a_rejected_event_is_one_message_that_can_be_filtered_by(alerted: Stack) -> None:
    subscribe = partial(subscribed, alerted.client, alerted.names.topic)
    everything = subscribe("all")
    mine = subscribe("mine", {"alert": ["rejected"], "product_id": ["P-E1", "P-E9"]})
    theirs = subscribe("theirs", {"event_id": [{"anything-but": ["E1"]}]})

    [(shard_id, number, payload)] = alerted.put([broken("E1")])

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
    assert alerted.rejected().poll() == {number}


def test_a_storm_is_a_message_a_second_and_reason_and_every_event_is_in_the_queue(
    alerted: Stack,
) -> None:
    begun = time.time()
    everything = subscribed(alerted.client, alerted.names.topic, "storm")
    published: dict[str, list[float]] = defaultdict(list)

    storm = [each for n in range(STORM) for each in (broken(f"E{n}"), (f"K{n}", b"{"))]
    placed = alerted.put(storm[:STORM])
    # An alert that was sent already may be sent again.
    eventually(lambda: len(total(everything())) == 2, timeout=60)
    placed += alerted.put(storm[STORM:])

    expected = Counter({"product.quantity.invalid": STORM, "data.not_json": STORM})
    eventually(lambda: total(everything()) == expected, timeout=60, pause=0.2)
    lines = eventually(lambda: alert_lines(alerted, begun, len(everything())))
    for line in lines:
        published[line["cause"]].append(line["at"])
    for times in published.values():
        assert len(times) > 1
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    assert alerted.rejected().poll() >= {number for _, number, _ in placed}
    for alert in everything():
        assert 1 <= len(alert["samples"]) <= min(10, alert["count"])


def alert_lines(stack: Stack, begun: float, count: int) -> list[dict[str, Any]]:
    """What the function logged of its publications since then, in their order; none until all are
    there."""
    name = f"/aws/lambda/{stack.names.alerts_function}"
    events = stack.clients.logs.filter_log_events(logGroupName=name)["events"]
    lines = [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
    alerts = [line for line in lines if line["message"] == "alert" and line["at"] >= begun]
    alerts.sort(key=lambda line: line["at"])
    return alerts if len(alerts) == count else []
