"""A store and a stream in memory, for the tests of what works on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventbridge_pipes.store import Store
from pipes_fakes import FakeStream


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def stream() -> FakeStream:
    """It has one open shard, `a`."""
    stream = FakeStream()
    stream.add_shard("a")
    return stream
