"""Whoever operates has the documented policy: with it each command works, and all of it is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from iam.deployment import actions, statements, without
from iam.enforcement import Enforcement
from iam.evaluation import allowed
from iam.stack import (
    Invocation,
    Stack,
    a_stack,
    environment_of,
    from_the_pipe,
    under,
)
from inventory_cli.cli import cli
from operations.queue import Queue as Failed
from processor import handler as function

OPERATOR = statements("Operator")
ACTIONS = actions(OPERATOR)
BY_THE_DASHBOARD = {
    "cloudwatch:GetMetricData",
    "kinesis:PutRecord",
    "logs:FilterLogEvents",
    *(f"pipes:{name}" for name in ("StartPipe", "StopPipe")),
}
"""What its page alone does (services/dashboard), which is not opened here."""


@pytest.fixture
def stack() -> Iterator[Stack]:
    """With an event that was rejected, and would be applied now."""
    product = {"product_id": "P1", "product_name": "Lamp", "quantity": 3}
    added = {"event_type": "product_added", "product": product}
    taken = {
        "event_type": "product_quantity_changed",
        "event_id": "e-2",
        "product": {"product_id": "P1", "quantity_change": -4},
    }
    more = {"event_type": "product_added", "product": {**product, "quantity": 9}}
    with a_stack() as stack, environment_of("Processor"):
        function._connections.cache_clear()
        for number, event in enumerate((added, taken, more), start=1):
            function.handler([from_the_pipe(number, event)], Invocation())
        function._connections.cache_clear()
        yield stack


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> Iterator[Enforcement]:
    # What is in moto's queues is there at once.
    visible_after, _, *more = Failed.receive_all.__defaults__ or ()
    monkeypatch.setattr(Failed.receive_all, "__defaults__", (visible_after, 0, *more))
    with under(OPERATOR) as role:
        yield role


@pytest.mark.usefixtures("stack")
def test_the_commands_work_with_the_documented_policy_and_all_of_it_is_used(
    role: Enforcement, tmp_path: Path
) -> None:
    for command in (
        "produce --count 3 --rate 50",
        "table",
        f"audit --log {tmp_path / 'audit.jsonl'}",
        "verify --wait 0",
        "redrive --all --yes --force",
    ):
        ended = CliRunner().invoke(cli, command.split())
        said = f"{command}: {ended.output}"
        assert "not authorized" not in said
        assert ended.exception is None or isinstance(ended.exception, SystemExit), said

    needs = {need for asked in role.asked for need in asked.needs}
    assert role.denied == []
    assert {need.action for need in needs} == ACTIONS - BY_THE_DASHBOARD
    refused = {a: [n for n in needs if not allowed(without(OPERATOR, a), n)] for a in ACTIONS}
    assert all(refused[action] for action in ACTIONS - BY_THE_DASHBOARD)
