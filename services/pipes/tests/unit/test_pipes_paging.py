from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.api.errors import ValidationError
from eventbridge_pipes.api.paging import page
from eventbridge_pipes.pipe import Pipe
from pipes_samples import PIPE

names = st.sets(st.text("abcXYZ.-_019", min_size=1, max_size=8), max_size=25)


@given(names, st.integers(1, 10))
def test_the_pages_together_are_the_list(names: set[str], limit: int) -> None:
    pipes = [replace(PIPE, name=name) for name in sorted(names)]
    seen: list[Pipe] = []
    token: str | None = None
    while True:
        shown = page(pipes, limit, token)
        assert len(shown.pipes) <= limit
        seen += shown.pipes
        token = shown.next_token
        if token is None:
            break
    assert seen == pipes


def test_a_pipe_that_is_deleted_between_two_pages_shifts_nothing() -> None:
    pipes = [replace(PIPE, name=name) for name in "abcd"]
    first = page(pipes, 2, None)
    rest = page(pipes[2:], 2, first.next_token)
    assert [pipe.name for pipe in rest.pipes] == ["c", "d"]


@pytest.mark.parametrize("token", ["%", "not a token", "YQ", "ä", "/w=="])
def test_a_token_that_was_not_given_out_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="NextToken"):
        page([PIPE], 1, token)
