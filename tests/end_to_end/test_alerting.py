"""A rejected event, one given up on and a level that crosses its threshold: a message each."""

from __future__ import annotations

import json

from stack import Stack
from subscriber import subscribed
from waiting import eventually


def added(product_id: str, quantity: int, event_id: str) -> tuple[str, bytes]:
    product = {"product_id": product_id, "product_name": "Tablet", "quantity": quantity}
    event = {"event_type": "product_added", "event_id": event_id, "product": product}
    return product_id, json.dumps(event).encode()


def give_up_at_once(stack: Stack) -> None:
    """The function does not even begin, and the pipe tries no second time."""
    functions = stack.client("lambda")
    name = stack.names.function
    functions.update_function_configuration(FunctionName=name, Handler="inventory.nowhere.handler")
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    stack.retry_at_most(0)


def test_failed_events_and_crossed_thresholds_are_one_alert_each(own_stack: Stack) -> None:
    alerts = subscribed(own_stack.client, own_stack.names.topic, "people")
    levels = [added("P1", 1000, "E1"), added("P1", 1001, "E2"), added("P1", 1002, "E3")]
    rejected, *_ = own_stack.put([added("P2", -1, "E4"), *levels[:2]])
    eventually(lambda: len(alerts()) == 2, timeout=60)
    # The function is changed next: it must have answered.
    own_stack.await_handled(own_stack.put(levels[2:]))

    give_up_at_once(own_stack)
    [dead] = own_stack.put([added("P3", 1, "E5")])
    eventually(lambda: len(alerts()) == 3, timeout=90)

    told = {alert["alert"]: alert for alert in alerts()}
    assert {kind: alert["count"] for kind, alert in told.items()} == {
        "rejected": 1,
        "high_stock": 1,
        "dead_letter": 1,
    }
    assert told["rejected"]["attributes"]["event_id"] == '["E4"]'
    assert int(told["rejected"]["samples"][0]["sequence_number"]) == rejected[1]
    assert told["high_stock"]["attributes"]["product_id"] == '["P1"]'
    assert told["high_stock"]["samples"][0]["quantity"] == 1001
    assert told["dead_letter"]["reason"] == "RetryAttemptsExhausted"
    assert told["dead_letter"]["attributes"]["event_id"] == '["E5"]'
    assert told["dead_letter"]["samples"][0]["payload"] == dead[2].decode()
