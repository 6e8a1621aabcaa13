"""Tests in containers: an engine is needed; those on one worker share the servers."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine
from stack import Backend

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.containers)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    engine.need()


@pytest.fixture(scope="session")
def backend(in_containers: Backend) -> Backend:
    return in_containers
