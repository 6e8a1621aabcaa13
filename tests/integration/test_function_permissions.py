"""The function under its role: with it all is done, without any of its actions that is named."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from iam.deployment import actions, without
from iam.enforcement import Enforcement
from iam.stack import (
    NAMES,
    Invocation,
    Stack,
    a_stack,
    environment_of,
    from_the_pipe,
    of_role,
    under,
)
from processor import handler as function

ROLE = of_role("ProcessorRole")
ACTIONS = actions(ROLE)
BY_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents"}
"""Done in the function's name by Lambda, which is not here: as AWS documents it.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"""

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack() as stack, environment_of("Processor"):
        yield stack


@pytest.fixture
def role(stack: Stack) -> Iterator[Enforcement]:
    function._connections.cache_clear()
    with under(ROLE) as role:
        yield role
    function._connections.cache_clear()


def run() -> list[Any]:
    """What fails of a product that is added and removed, and of one that is rejected."""
    ours, theirs = f"P{next(_numbers)}", f"R{next(_numbers)}"
    events: list[dict[str, Any]] = [
        {
            "event_type": "product_added",
            "product": {"product_id": ours, "product_name": "Lamp", "quantity": 3},
        },
        {"event_type": "product_removed", "product": {"product_id": ours}},
        {"event_type": "product_added", "product": {"product_id": theirs}},
    ]
    failures = []
    for event in events:
        batch = [from_the_pipe(next(_numbers), event)]
        failures += function.handler(batch, Invocation())["batchItemFailures"]
    return failures


def test_the_role_is_enough_and_all_of_it_is_used(stack: Stack, role: Enforcement) -> None:
    assert run() == []

    assert {need.action for asked in role.asked for need in asked.needs} == ACTIONS - BY_LAMBDA
    assert len(stack.messages(NAMES.rejected_queue)) == 1


def test_events_fail_and_the_log_names_any_action_that_the_role_lacks(
    role: Enforcement, caplog: pytest.LogCaptureFixture
) -> None:
    reasons = {}
    for action in ACTIONS - BY_LAMBDA:
        caplog.clear()
        role.statements = without(ROLE, action)
        assert run()
        said = {getattr(record, "reason", "") for record in caplog.records}
        reasons[action] = {reason for reason in said if "AccessDenied" in reason}

    assert reasons == {a: {f"AccessDeniedException: may not {a}"} for a in ACTIONS - BY_LAMBDA}
