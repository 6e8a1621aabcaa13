"""The promise, end to end: the table equals the fold of the events, and none is lost."""

from __future__ import annotations

import base64
import json
import random
import time
from itertools import islice
from typing import Any

from inventory.stock import Outcome, RemovalNamePolicy
from inventory_cli.commands import demo
from operations import table
from operations.access import Access
from operations.expectation import Expectation
from producer.generator import Spec, events
from stack import EmbeddedBackend, Stack, expected_of
from waiting import eventually

Placed = tuple[str, int, bytes]
IGNORE = RemovalNamePolicy.IGNORE


def generated(seed: int, count: int, products: int) -> list[tuple[str, bytes]]:
    spec = Spec(seed, products, invalid_share=0.05)
    return [(e.partition_key, e.payload) for e in islice(events(spec), count)]


def differences(stack: Stack, expected: Expectation) -> list[str]:
    return list(table.changes(expected.rows, stack.rows()))


def test_the_demo_finds_its_table_right(stack: Stack) -> None:
    pipeline = Access(stack.clients, stack.names, IGNORE)
    sent = islice(events(Spec(seed=7, products=20, invalid_share=0.1)), 120)
    result = demo.run(pipeline, sent, 200, time.sleep)
    assert result.problems == []
    expected = expected_of(stack.stream())
    assert result.outcomes == expected.outcomes
    assert (result.sent, result.rows) == (120, len(expected.rows))
    assert {Outcome.APPLIED, Outcome.NOT_FOUND, Outcome.REJECTED} <= set(expected.outcomes)
    assert len(result.latencies) + len(result.cold_latencies) > 50


def test_the_demo_finds_its_table_right_beside_another_producer(stack: Stack) -> None:
    pipeline = Access(stack.clients, stack.names, IGNORE)
    sent = islice(events(Spec(seed=7, products=20, invalid_share=0.1)), 20)
    others = generated(seed=8, count=20, products=20)
    foreign: Any = {"product_id": {"S": "P900"}, "quantity": {"N": "3"}}  # none of its products
    stack.clients.dynamodb.put_item(TableName=stack.names.table, Item=foreign)

    def pause(seconds: float) -> None:
        if others:  # they are handled while the demo is still sending
            placed = stack.put(others)
            others.clear()
            stack.await_handled(placed)
        time.sleep(seconds)

    result = demo.run(pipeline, sent, 200, pause)
    assert result.problems == []
    assert result.outcomes.total() > result.sent == 20


def test_every_record_ends_as_the_fold_says_and_each_rejected_one_is_in_the_queue(
    stack: Stack,
) -> None:
    placed = stack.put(generated(seed=11, count=1000, products=60))
    stack.await_handled(placed)
    expected = expected_of(stack.stream())
    assert differences(stack, expected) == []
    assert stack.log.progress.outcomes == expected.outcomes
    queue = stack.rejected()
    eventually(lambda: queue.poll() >= expected.rejected)
    assert queue.sequence_numbers == expected.rejected


def test_a_killed_pipes_service_loses_nothing_and_applies_nothing_twice(
    stack: Stack, embedded: EmbeddedBackend
) -> None:
    placed = []
    payloads = generated(seed=23, count=2000, products=50)
    for start in range(0, 2000, 250):
        so_far = stack.log.poll().handled
        placed += stack.put(payloads[start : start + 250])
        if start in (500, 1250):
            eventually(lambda so_far=so_far: stack.log.poll().handled > so_far)  # type: ignore[misc]
            embedded.kill_pipes()
            embedded.start_pipes()
    stack.await_handled(placed)
    expected = expected_of(stack.stream())
    assert differences(stack, expected) == []
    queue = stack.rejected()
    eventually(lambda: queue.poll() >= expected.rejected)
    assert queue.sequence_numbers == expected.rejected


def test_signed_changes_come_out_exact_though_delivered_twice_and_put_twice(stack: Stack) -> None:
    dice = random.Random(42)
    products = [f"P{n}" for n in range(20)]
    levels = dict.fromkeys(products, 1000)
    placed = stack.put((p, added(p, 1000)) for p in products)
    stack.await_handled(placed)

    earlier: list[Placed] = []
    for chunk in range(20):
        payloads = []
        for n in range(100):
            product, change = dice.choice(products), dice.randint(-9, 9)
            levels[product] += change
            payload = (product, moved(product, change, f"{chunk}-{n}"))
            payloads += [payload, payload] if dice.random() < 0.1 else [payload]
        placed = stack.put(payloads)
        # While the pipe delivers these, half of the ones before are delivered once more.
        again = dice.sample(earlier, len(earlier) // 2)
        assert stack.invoke([flat(*p) for p in sorted(again, key=lambda p: p[1])]) == {
            "batchItemFailures": []
        }
        stack.await_handled(placed)
        earlier = placed
    assert {p: row.quantity for p, row in stack.rows().items()} == levels


def added(product_id: str, quantity: int) -> bytes:
    product = {"product_id": product_id, "product_name": "Phone", "quantity": quantity}
    return json.dumps({"event_type": "product_added", "product": product}).encode()


def moved(product_id: str, change: int, event_id: str) -> bytes:
    product = {"product_id": product_id, "quantity_change": change}
    event = {"event_type": "product_quantity_changed", "event_id": event_id, "product": product}
    return json.dumps(event).encode()


def flat(shard_id: str, number: int, data: bytes) -> dict[str, Any]:
    """The record as the pipe delivers it."""
    return {
        "eventID": f"{shard_id}:{number}",
        "sequenceNumber": str(number),
        "partitionKey": json.loads(data)["product"]["product_id"],
        "data": base64.b64encode(data).decode(),
        "approximateArrivalTimestamp": 0.0,
    }
