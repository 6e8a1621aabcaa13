"""`docker compose down -v` leaves nothing, whatever happened before: ten times out of ten."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
from compose_project import Project, left_of, project
from waiting import eventually

ROUNDS = 10
SERVICES = ("localstack", "function", "pipes", "producer", "dashboard", "table")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path, PRODUCER_RATE="20") as it:
        yield it


def up(stack: Project) -> None:
    started = stack.run("up", "--wait")
    assert started.returncode == 0, started.stderr


def assert_down_leaves_nothing(stack: Project) -> None:
    down = stack.run("down", "--volumes")
    assert (down.returncode, left_of(stack.name)) == (0, []), down.stderr


@pytest.mark.containers
@pytest.mark.skipif(bool(engine.missing()), reason=engine.missing() or "Docker")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_after_a_session_with_changes_and_kills_nothing_is_left(
    stack: Project, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(stack)
    eventually(lambda: any("lambda" in name for name in left_of(stack.name)), timeout=60)
    monkeypatch.setenv("LS_LOG", "error")  # recreates localstack
    monkeypatch.setenv("BATCH_SIZE", "50")
    up(stack)
    for service in SERVICES:
        assert stack.run("kill", service).returncode == 0
        if number % 2:
            up(stack)
    assert_down_leaves_nothing(stack)


@pytest.mark.containers
@pytest.mark.skipif(bool(engine.missing()), reason=engine.missing() or "Docker")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_ended_at_any_moment_of_its_start_nothing_is_left(stack: Project, number: int) -> None:
    """The functions' containers start about ten seconds after the others."""
    dice = random.Random(number)
    assert stack.run("up", "--detach", "localstack", "function", "pipes").returncode == 0
    time.sleep(dice.uniform(4, 14))
    if number % 2:
        assert stack.run("kill").returncode == 0
    assert_down_leaves_nothing(stack)
