"""What the answer of an enrichment stands for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes import outcome
from eventbridge_pipes.outcome import EnrichedError, events_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


def bodies(answer: bytes) -> list[str]:
    return [event.body for event in events_of(answer)]


@pytest.mark.parametrize("answer", [b"", b"  ", b'""', b"{}", b"[]", b"[ ]", b"null"])
def test_an_empty_answer_is_no_event(answer: bytes) -> None:
    assert bodies(answer) == []


@pytest.mark.parametrize(
    ("answer", "events"),
    [
        (b"[{}]", ["{}"]),
        (b'{"a": 1}', ['{"a": 1}']),
        (b'[{"a":1},{"b":2}]', ['{"a":1}', '{"b":2}']),
        (b' [ 1 , "two" , null ] ', ["1", '"two"', "null"]),
        (b'"text"', ['"text"']),
        (b"0", ["0"]),
        (b"false", ["false"]),
        (b'[["]", "[,"], {"a": "}"}]', ['["]", "[,"]', '{"a": "}"}']),
    ],
)
def test_an_array_is_as_many_events_as_it_has_items_and_anything_else_is_one(
    answer: bytes, events: list[str]
) -> None:
    assert bodies(answer) == events


def test_numbers_keep_their_digits() -> None:
    assert bodies(b"[1.10, 1e400, 12345678901234567890.5]") == [
        "1.10",
        "1e400",
        "12345678901234567890.5",
    ]


@given(st.lists(JSON, min_size=1), st.sampled_from([None, 1]))
def test_the_items_of_an_array_are_the_events(items: list[Any], indent: int | None) -> None:
    answer = json.dumps(items, indent=indent).encode()
    assert [json.loads(body) for body in bodies(answer)] == items


@pytest.mark.parametrize("answer", [b"<html>", b"[1,", b"[NaN]", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_refused(answer: bytes) -> None:
    with pytest.raises(EnrichedError, match="did not answer with JSON"):
        events_of(answer)


def test_an_answer_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "ANSWER_LIMIT", 4)
    assert bodies(b"1234") == ["1234"]
    with pytest.raises(EnrichedError, match="answered 5 bytes"):
        events_of(b"12345")
