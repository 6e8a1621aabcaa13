"""`docker compose down --volumes --remove-orphans` leaves nothing, whatever happened before.

Without the last option, a container that LocalStack was creating when it was killed may stay.

ROUNDS=10 make trials ARGS=trials/containers/test_compose_leaves_nothing.py: ten times out of ten.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from compose_project import Project, copy_of_checkout, left_of, project
from inventory_aws.names import Names
from waiting import eventually

ROUNDS = int(os.environ.get("ROUNDS", "2"))
NAMES = Names()
SERVICES = ("localstack", "deployer", "pipes", "producer", "dashboard", "table")


pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(900),
    pytest.mark.parametrize("number", range(ROUNDS)),
]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path, copy_of_checkout(tmp_path), PRODUCER_RATE="2") as it:
        yield it


def run(stack: Project, *command: str) -> None:
    ran = stack.run(*command)
    assert ran.returncode == 0, ran.stderr


def await_functions(stack: Project) -> None:
    for function in (NAMES.function, NAMES.alerts_function):
        eventually(partial(stack.has_run, function), timeout=120)


def assert_down_leaves_nothing(stack: Project) -> None:
    run(stack, "down", "--volumes", "--remove-orphans")
    assert left_of(stack.name) == []


def change_code(stack: Project) -> None:
    before = stack.code
    with (Path(stack.compose.context) / "services/lambda/processor/__init__.py").open("a") as file:
        file.write("\n# changed\n")
    run(stack, "up", "--wait")
    eventually(lambda: stack.code != before, timeout=60)


def test_after_a_session_with_changes_and_kills(
    stack: Project, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(stack, "up", "--wait")
    change_code(stack)
    monkeypatch.setenv("BATCH_SIZE", "50")
    monkeypatch.setenv("LS_LOG", "error")  # Compose recreates localstack
    run(stack, "up", "--wait")
    await_functions(stack)
    eventually(lambda: set(stack.states()) == {"running"}, timeout=60)
    for service in SERVICES:
        run(stack, "kill", service)
    if number % 2:
        run(stack, "up", "--wait")
        # A function's container of the LocalStack that was killed may stay, in any state.
        await_functions(stack)
    assert_down_leaves_nothing(stack)


def test_at_any_moment_of_the_start(stack: Project, number: int) -> None:
    run(stack, "up", "--detach", "localstack", "deployer", "pipes")
    time.sleep(random.Random(number).uniform(4, 20))
    if number % 2:
        run(stack, "kill")
    assert_down_leaves_nothing(stack)
