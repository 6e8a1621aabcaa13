"""Tests in containers: an engine is needed; those on one worker share the servers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from stack import Backend

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.containers)
            item.add_marker(pytest.mark.timeout(420))


@pytest.fixture(autouse=True)
def _follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of `stack` lead to its servers, as those of an account would."""
    monkeypatch.setenv("TARGET", "aws")


@pytest.fixture(scope="session")
def backend(in_containers: Backend) -> Backend:
    return in_containers


@pytest.fixture(scope="session")
def settings() -> Mapping[str, str]:
    """One shard: each is polled, and LocalStack takes much time for that. Compose has two."""
    return {"STREAM_SHARDS": "1"}
