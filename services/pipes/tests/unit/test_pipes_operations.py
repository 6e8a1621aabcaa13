from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from eventbridge_pipes.api import operations
from eventbridge_pipes.api.errors import ConflictError, QuotaExceededError
from eventbridge_pipes.api.operations import PipesService
from eventbridge_pipes.lifecycle import Lifecycle
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.store import Store
from pipes_requests import REGION, definition
from pipes_shapes import MODEL, misfits


class NoLifecycle:
    """Pipes stay in the state that an operation puts them in."""

    def settle(self, pipe: Pipe) -> None:
        pass


@pytest.fixture
def service(tmp_path: Path) -> Iterator[PipesService]:
    store = Store(tmp_path)
    yield PipesService(store, cast(Lifecycle, NoLifecycle()), REGION)
    store.close()


def test_an_account_has_so_many_pipes_and_no_more(
    service: PipesService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "PIPE_LIMIT", 2)
    service.create(definition() | {"Name": "a"})
    service.create(definition() | {"Name": "b"})
    with pytest.raises(QuotaExceededError) as raised:
        service.create(definition() | {"Name": "c"})
    assert list(misfits(MODEL.shape_for(raised.value.code), raised.value.members)) == []
    with pytest.raises(ConflictError):
        service.create(definition() | {"Name": "a"})


@pytest.mark.parametrize("operation", ["update", "start", "stop", "delete"])
def test_a_pipe_in_a_passing_state_takes_no_other_operation(
    service: PipesService, operation: str
) -> None:
    service.create(definition())
    with pytest.raises(ConflictError, match="CREATING") as raised:
        getattr(service, operation)({"Name": "p"})
    assert raised.value.members["resourceId"] == "p"
    assert list(misfits(MODEL.shape_for(raised.value.code), raised.value.members)) == []
