from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.api import operations
from eventbridge_pipes.api.model import ValidationError
from eventbridge_pipes.api.operations import (
    ConflictError,
    PipesService,
    QuotaExceededError,
    page,
)
from eventbridge_pipes.lifecycle import Lifecycle
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.store import Store
from pipes_requests import REGION, definition
from pipes_samples import PIPE
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
    service.create_pipe(definition() | {"Name": "a"})
    service.create_pipe(definition() | {"Name": "b"})
    with pytest.raises(QuotaExceededError) as raised:
        service.create_pipe(definition() | {"Name": "c"})
    assert list(misfits(MODEL.shape_for(raised.value.code), raised.value.members)) == []
    with pytest.raises(ConflictError):
        service.create_pipe(definition() | {"Name": "a"})


@pytest.mark.parametrize("operation", ["update", "start", "stop", "delete"])
def test_a_pipe_in_a_passing_state_takes_no_other_operation(
    service: PipesService, operation: str
) -> None:
    service.create_pipe(definition())
    with pytest.raises(ConflictError, match="CREATING") as raised:
        getattr(service, f"{operation}_pipe")({"Name": "p"})
    assert raised.value.members["resourceId"] == "p"
    assert list(misfits(MODEL.shape_for(raised.value.code), raised.value.members)) == []


names = st.sets(st.text("abcXYZ.-_019", min_size=1, max_size=8), max_size=25)


@given(names, st.integers(1, 10))
def test_the_pages_together_are_the_list(names: set[str], limit: int) -> None:
    pipes = [replace(PIPE, name=name) for name in sorted(names)]
    seen: list[Pipe] = []
    token: str | None = None
    while True:
        shown, token = page(pipes, limit, token)
        assert len(shown) <= limit
        seen += shown
        if token is None:
            break
    assert seen == pipes


def test_a_pipe_that_is_deleted_between_two_pages_shifts_nothing() -> None:
    pipes = [replace(PIPE, name=name) for name in "abcd"]
    _, token = page(pipes, 2, None)
    rest, _ = page(pipes[2:], 2, token)
    assert [pipe.name for pipe in rest] == ["c", "d"]


@pytest.mark.parametrize("token", ["%", "not a token", "YQ", "ä", "/w=="])
def test_a_token_that_was_not_given_out_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="NextToken"):
        page([PIPE], 1, token)
