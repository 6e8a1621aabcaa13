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
    PipeNotFoundError,
    PipesService,
    QuotaExceededError,
    page,
)
from eventbridge_pipes.arn import Scope
from eventbridge_pipes.lifecycle import Lifecycle
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.store import Store
from pipes_requests import FUNCTION, QUEUE, SCOPE, definition
from pipes_samples import PIPE
from pipes_shapes import MODEL, misfits


class NoLifecycle:
    """Pipes stay in the state that an operation puts them in."""

    def settle(self, pipe: Pipe) -> None:
        pass


@pytest.fixture
def service(tmp_path: Path) -> Iterator[PipesService]:
    store = Store(tmp_path)
    yield PipesService(store, cast(Lifecycle, NoLifecycle()), SCOPE)
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


OTHERS = [
    Scope("111111111111", "us-east-1"),
    Scope("000000000000", "eu-west-1"),
    Scope("111111111111", "eu-west-1"),
]


def test_pipes_of_other_accounts_and_regions_are_not_seen_and_may_have_the_same_name(
    service: PipesService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "PIPE_LIMIT", 1)
    scopes = [SCOPE, *OTHERS]
    for scope in scopes:
        within = replace(service, scope=scope)
        with pytest.raises(PipeNotFoundError):
            within.describe_pipe({"Name": "p"})
        assert within.list_pipes({})["Pipes"] == []
        source = QUEUE.replace(SCOPE.region, scope.region)
        target = FUNCTION.replace(SCOPE.region, scope.region)
        created = within.create_pipe(definition(source, target=target))
        assert created["Arn"] == scope.pipe_arn("p")
    replace(service, scope=OTHERS[0]).tag_resource(
        {"resourceArn": OTHERS[0].pipe_arn("p"), "tags": {"a": "b"}}
    )
    for scope in scopes:
        within = replace(service, scope=scope)
        (pipe,) = within.list_pipes({})["Pipes"]
        assert pipe["Arn"] == scope.pipe_arn("p")
        assert within.describe_pipe({"Name": "p"})["Tags"] == (
            {"a": "b"} if scope == OTHERS[0] else {}
        )
        with pytest.raises(PipeNotFoundError):
            within.list_tags_for_resource({"resourceArn": Scope("2" * 12, "x").pipe_arn("p")})


def test_an_arn_of_another_region_than_the_requests_is_refused(service: PipesService) -> None:
    with pytest.raises(ValidationError, match=r"Creating cross-region pipe is not permitted\."):
        replace(service, scope=OTHERS[1]).create_pipe(definition())


def test_times_are_whole_seconds_except_the_last_change_in_the_answer_to_a_creation(
    service: PipesService,
) -> None:
    service = replace(service, now=lambda: 1234.567)
    created = service.create_pipe(definition())
    assert (created["CreationTime"], created["LastModifiedTime"]) == (1234, 1234.567)
    for shown in (service.describe_pipe({"Name": "p"}), service.list_pipes({})["Pipes"][0]):
        assert (shown["CreationTime"], shown["LastModifiedTime"]) == (1234, 1234)


@pytest.mark.parametrize("key", ["aws:a", "aws:", "AWS:cloudformation:stack-name"])
def test_a_reserved_tag_key_is_refused_when_a_pipe_is_created_and_tagged(
    service: PipesService, key: str
) -> None:
    told = f"The tag key {key} is reserved"
    with pytest.raises(ValidationError, match=told):
        service.create_pipe({**definition(), "Tags": {"mine": "a", key: "b"}})
    arn = service.create_pipe({**definition(), "Tags": {"awsome": "a"}})["Arn"]
    with pytest.raises(ValidationError, match=told):
        service.tag_resource({"resourceArn": arn, "tags": {key: "b"}})
    assert service.describe_pipe({"Name": "p"})["Tags"] == {"awsome": "a"}
