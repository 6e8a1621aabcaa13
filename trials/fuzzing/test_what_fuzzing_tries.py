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


def test_batches_come_to_every_outcome_and_most_reasons() -> None:
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()

    @samples(500)
    @given(batches())
    def look(batch: list[dict[str, Any]]) -> None:
        *refusals, line = lines_of(batch)
        outcomes.update({outcome: line[outcome] for outcome in Outcome})
        reasons.update(refusal["reason"].split(":")[0].split(" (")[0] for refusal in refusals)

    look()
    total = outcomes.total()
    assert outcomes["applied"] > total / 10
    assert outcomes["rejected"] > total / 5
    assert outcomes["not_found"] > total / 50
    assert outcomes["duplicate"] > 0
    assert {reason.split(" ")[0] for reason in reasons} >= {
        *("data", "event_type", "product", "product.product_id", "product.quantity"),
        "partition_key",
    }
    assert {"data is nested too deeply", "data is not JSON", "data is not UTF-8"} <= set(reasons)


@pytest.mark.parametrize("subject", ["event_id", "product.product_name", "product.timestamp"])
def test_batches_meet_the_rare_reasons_too(subject: str) -> None:
    """A sample of 500 has them or not by chance: of six seeds one had no wrong timestamp."""

    def meets_it(batch: list[dict[str, Any]]) -> bool:
        *refusals, _line = lines_of(batch)
        return any(refusal["reason"].startswith(f"{subject} ") for refusal in refusals)

    # An example that is met is not made smaller: that takes long, and nobody reads it.
    seeking = settings(samples(5000), phases=[Phase.generate])
    assert find(batches(), meets_it, settings=seeking)


def lines_of(batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the function logs of a batch: a line for each refusal, then one for the batch."""
    world = World()
    world.call(batch)
    return world.lines()


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
