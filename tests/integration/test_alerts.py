"""The alerts function as it is deployed, with its queue and topics."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

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


def test_a_storm_of_rejected_events_is_a_few_messages_and_none_is_lost(
    alerted: Stack,
) -> None:
    everything = subscribed(alerted.client, alerted.names.topic, "storm")

    storm = [each for n in range(STORM) for each in (broken(f"E{n}"), (f"K{n}", b"{"))]
    placed = alerted.put(storm[:STORM])
    eventually(lambda: len(total(everything())) == 2, timeout=60)
    placed += alerted.put(storm[STORM:])

    expected = Counter({"product.quantity.invalid": STORM, "data.not_json": STORM})
    eventually(lambda: total(everything()) == expected, timeout=60, pause=0.2)
    # Lambda collects for seconds, so there are few batches, also if a window ends during a put.
    assert Counter(alert["reason"] for alert in everything()) <= Counter(dict.fromkeys(expected, 4))
    assert alerted.rejected().poll() >= {number for _, number, _ in placed}
    for alert in everything():
        assert len(alert["samples"]) == min(10, alert["count"])
