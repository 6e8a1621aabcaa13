"""A record that ends the function: it alone is given up on, and everything around it is applied.

What the function cannot handle it rejects, and nothing that can be put on the stream is known to
end it. So these tests deploy a variant: its handler ends at a record with a mark in its data, and
is the real one for all others. The pipe has one retry in place of twelve, which changes how long a
poisonous record is held on to and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from endings import variant
from operations import table
from servers import lead_to, pipeline
from stack import Backend, Stack, expected_of

Placed = tuple[str, int, bytes]

PRODUCTS = [f"P{n}" for n in range(6)]
MARK = "crash:"
LIMIT_SECONDS = 2

SETTINGS = {"MAX_RETRY_ATTEMPTS": "1"}
USUAL_LIMIT_SECONDS = 60


@pytest.fixture(scope="module")
def poisonous(backend: Backend, function_zip: Path) -> Iterator[Stack]:
    with pipeline(backend, SETTINGS, variant(function_zip.read_bytes())) as stack:
        yield stack


@pytest.fixture
def poisonous_stack(poisonous: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Its function ends at marked records, and its pipe tries each but once more."""
    lead_to(poisonous, monkeypatch)
    poisonous.start_log()
    yield poisonous
    poisonous.clear()


def dead_letters(stack: Stack) -> list[dict[str, Any]]:
    """What is in the dead-letter queue, taken out of it."""
    sqs = stack.clients.sqs
    url = sqs.get_queue_url(QueueName=stack.names.dead_letter_queue)["QueueUrl"]
    letters = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        letters += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return letters


def moved(product_id: str, event_id: str) -> tuple[str, bytes]:
    product = {"product_id": product_id, "quantity_change": 1}
    event = {"event_type": "product_quantity_changed", "event_id": event_id, "product": product}
    return product_id, json.dumps(event).encode()


def round_of(name: str) -> list[tuple[str, bytes]]:
    """An event for each product: for both shards, and so that one left out shows in the level."""
    return [moved(product_id, f"{name}-{product_id}") for product_id in PRODUCTS]


def added() -> list[tuple[str, bytes]]:
    product = {"product_name": "Phone", "quantity": 100}
    return [
        (
            p,
            json.dumps(
                {"event_type": "product_added", "product": product | {"product_id": p}}
            ).encode(),
        )
        for p in PRODUCTS
    ]


def is_poison(placed: Placed) -> bool:
    return MARK.encode() in placed[2]


def assert_only_poison_is_left_out(stack: Stack, placed: list[Placed]) -> None:
    """The table is the fold of all others, and each marked record is a dead letter by itself."""
    poison = [each for each in placed if is_poison(each)]
    expected = expected_of(r for r in stack.stream() if MARK.encode() not in r.data)
    assert list(table.changes(expected.rows, stack.rows())) == []

    letters = dead_letters(stack)
    named = [letter["KinesisBatchInfo"] for letter in letters]
    assert sorted((i["shardId"], int(i["startSequenceNumber"])) for i in named) == sorted(
        (shard, number) for shard, number, _ in poison
    )
    assert all(i["startSequenceNumber"] == i["endSequenceNumber"] for i in named)
    assert {i["batchSize"] for i in named} == {1}
    assert {letter["context"]["condition"] for letter in letters} == {"RetryAttemptsExhausted"}
    assert stack.rejected().poll() == set()


def test_a_record_that_the_function_cannot_handle_is_isolated_and_its_shard_goes_on(
    poisonous_stack: Stack,
) -> None:
    assert_isolated(poisonous_stack, "raises")


def test_a_record_that_takes_too_long_is_isolated(poisonous_stack: Stack) -> None:
    limit_time(poisonous_stack, LIMIT_SECONDS)
    assert_isolated(poisonous_stack, "hangs")
    limit_time(poisonous_stack, USUAL_LIMIT_SECONDS)


def test_a_record_that_ends_the_process_of_the_function_is_isolated(poisonous_stack: Stack) -> None:
    """With the usual time limit: in containers the start of the next process counts."""
    assert_isolated(poisonous_stack, "exits")


def limit_time(stack: Stack, seconds: int) -> None:
    client, name = stack.client("lambda"), stack.names.function
    client.update_function_configuration(FunctionName=name, Timeout=seconds)
    client.get_waiter("function_updated_v2").wait(FunctionName=name)


def assert_isolated(stack: Stack, ending: str) -> None:
    """Of the batch that the record is in; it is small, for each try may take the time limit."""
    placed = stack.put([*added(), *round_of("before")])
    stack.await_handled(placed)
    placed += stack.put([moved(PRODUCTS[0], f"{MARK}{ending}:1"), *round_of("after")])
    placed += stack.put(round_of("later"))
    stack.await_handled([each for each in placed if not is_poison(each)], timeout=90)
    assert_only_poison_is_left_out(stack, placed)


def test_several_are_isolated_each_by_itself_wherever_they_are(poisonous_stack: Stack) -> None:
    """The first of all, two in a row, and one in the other shard."""
    stack = poisonous_stack
    placed = stack.put(
        [
            *(moved(product_id, f"{MARK}raises:first") for product_id in PRODUCTS),
            *added(),
            *round_of("before"),
            moved(PRODUCTS[1], f"{MARK}raises:second"),
            moved(PRODUCTS[1], f"{MARK}raises:third"),
            *round_of("after"),
        ]
    )
    stack.await_handled([each for each in placed if not is_poison(each)], timeout=90)
    assert {shard for shard, _, _ in filter(is_poison, placed)} == {s for s, _, _ in placed}
    assert_only_poison_is_left_out(stack, placed)
