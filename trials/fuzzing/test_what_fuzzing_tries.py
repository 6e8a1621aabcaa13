"""What the fuzz tests try gets everywhere. If most of it were refused, they would show little."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from tests.unit.processor.oracle import Oracle
from tests.unit.processor.test_fuzz_function import World, batches
from tests.unit.processor.test_oracle import Producer

from eventbridge_pipes.store import Store
from inventory.stock import Outcome
from pipes_api import Answer, Api
from pipes_fuzzing import API_REQUESTS, ApiRequest, requests_of
from pipes_shapes import MODEL

# Whole, though it is long: an example that cannot be seen is of no use.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


def samples(count: int) -> settings:
    return settings(max_examples=count, derandomize=True, database=None, print_blob=False)


def test_batches_come_to_every_outcome() -> None:
    outcomes: Counter[str] = Counter()

    @samples(500)
    @given(batches())
    def look(batch: list[dict[str, Any]]) -> None:
        world = World()
        world.call(batch)
        *_refusals, line = world.lines()
        outcomes.update({outcome: line[outcome] for outcome in Outcome})

    look()
    total = outcomes.total()
    assert outcomes["applied"] > total / 10
    assert outcomes["rejected"] > total / 5
    assert outcomes["not_found"] > total / 50
    assert outcomes["duplicate"] > 0


@pytest.mark.parametrize(
    "reason",
    [
        *("data is nested too deeply", "data is not JSON", "data is not UTF-8"),
        *("event_type", "event_id", "product", "partition_key"),
        *("product.product_id", "product.product_name", "product.quantity", "product.timestamp"),
    ],
)
def test_batches_meet_every_reason(reason: str) -> None:
    def meets_it(batch: list[dict[str, Any]]) -> bool:
        world = World()
        world.call(batch)
        *refusals, _line = world.lines()
        found = (refusal["reason"].split(":")[0] for refusal in refusals)
        return any(f"{each} ".startswith(f"{reason} ") for each in found)

    # An example that is met is not made smaller: that takes long, and nobody reads it.
    seeking = settings(samples(5000), phases=[Phase.generate])
    assert find(batches(), meets_it, settings=seeking)


def test_what_the_oracle_judges_comes_to_every_outcome() -> None:
    producer, oracle = Producer(Random(1)), Oracle(enforce_names=True)
    puts = [producer.put() for _ in range(10_000)]
    outcomes = Counter(oracle.put(number, *put) for number, put in enumerate(puts))
    assert outcomes.keys() == {
        *("applied", "duplicate", "not_found", "rejected", "rejected partition_key.differs"),
        "rejected product.product_name.differs",
        "rejected product.quantity_change.below_zero",
        "rejected product.quantity_change.too_high",
    }
    assert min(outcomes.values()) >= 20


@pytest.mark.parametrize("operation", MODEL.operation_names)
def test_a_part_of_the_requests_gets_past_validation_and_some_succeed(operation: str) -> None:
    statuses: Counter[int] = Counter()

    @samples(200)
    @given(requests_of(operation))
    def look(request: ApiRequest) -> None:
        statuses[asked(request).status] += 1

    look()
    assert statuses[200]
    assert statuses.total() - statuses[400] >= 20


@pytest.mark.parametrize(
    "code",
    ["ValidationException", "SerializationException", "NotFoundException", "ConflictException"],
)
def test_requests_meet_every_refusal(code: str) -> None:
    def meets_it(request: ApiRequest) -> bool:
        return asked(request).headers.get("x-amzn-errortype") == code

    assert find(API_REQUESTS, meets_it, settings=samples(500))


def asked(request: ApiRequest) -> Answer:
    """The answer where there is a pipe `p`."""
    with closing(Store(None)) as store:
        return Api(store).ask(request.method, request.target, request.body.encode())
