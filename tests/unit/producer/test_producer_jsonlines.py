from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_events import NEAR
from inventory.event import InvalidEventError, parse
from inventory.json_text import with_members
from inventory_aws.event import Event
from producer.jsonlines import events
from producer.usage import RefusedError


def read(*lines: bytes, send_broken: bool = False) -> list[Event]:
    return list(events("orders.jsonl", lines, send_broken=send_broken))


def test_a_line_is_sent_as_it_is_under_its_product() -> None:
    line = b'  {"event_type": "product_removed", "event_id": "e1", "product": {"product_id":"P4"}} '
    assert read(line + b"\r\n") == [Event(line, "P4", "e1", "product_removed")]


def test_blank_lines_are_no_events() -> None:
    assert [e.payload for e in read(b"\n", b"1\n", b"  \r\n", b"2")] == [b"1", b"2"]


@pytest.mark.parametrize(
    "document",
    [
        42,
        [],
        {},
        {"product": "P4"},
        {"product": {}},
        {"product": {"product_id": 4}},
        {"product": {"product_id": ""}},
        {"product": {"product_id": "P" * 257}},
        {"product": {"product_id": "\ud800"}},
    ],
)
def test_without_a_product_id_that_is_a_key_equal_lines_share_a_key_of_their_own(
    document: object,
) -> None:
    line = json.dumps(document).encode()
    first, second, other = read(line, line, b'{"other": 1}')
    assert first.partition_key == second.partition_key != other.partition_key
    assert first.partition_key.startswith("line-")
    assert first.kind == "other"
    assert (first.event_id is not None) is isinstance(document, dict)


@pytest.mark.parametrize(
    ("line", "head", "tail"),
    [
        (b'{"product": {"product_id": "P4"}}', b'{"product": {"product_id": "P4"}, ', b"}"),
        (b" { } ", b" { ", b"} "),
        (
            '{"a":1e3,"a":1.50,"\\u0061":"\\u00e9é" ,"z":[{"event_id":1}]\t} '.encode(),
            '{"a":1e3,"a":1.50,"\\u0061":"\\u00e9é" ,"z":[{"event_id":1}]\t, '.encode(),
            b"} ",
        ),
    ],
)
def test_an_object_without_an_event_id_gets_one_and_nothing_else_of_it_changes(
    line: bytes, head: bytes, tail: bytes
) -> None:
    first, second = read(line, line)
    assert first.event_id != second.event_id
    for each in (first, second):
        assert each.payload == head + f'"event_id": "{each.event_id}"'.encode() + tail


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(), VALUES), st.text(), VALUES, st.booleans(), st.sampled_from([0, None])
)
def test_any_member_of_any_object_can_be_set(
    document: dict[str, object], name: str, value: object, ascii_only: bool, indent: int | None
) -> None:
    payload = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    changed = with_members(payload, {name: value})
    assert json.loads(changed) == document | {name: value}
    if name not in document:
        assert changed.startswith(payload.removesuffix(b"}"))
    assert with_members(changed, {name: value}) == changed


@pytest.mark.parametrize("given", [b"null", b"4", b'""', b'"e1"'])
def test_an_event_id_that_is_given_stays_whatever_it_is(given: bytes) -> None:
    line = b'{"event_id": %b, "product": {}}' % given
    assert [event.payload for event in read(line)] == [line]


def test_a_member_gets_a_new_value_wherever_it_is_named() -> None:
    line = '{"id":null, "é" : "é","id" :[1, {"id": 2}], "x":1E400}'
    assert with_members(line.encode(), {"id": "ü", "new": {"n": 1}}).decode() == (
        '{"id":"ü", "é" : "é","id" :"ü", "x":1E400, "new": {"n": 1}}'
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": ', "Expecting value, column 7"),
        (b'{"a": "\xff"}', "byte 8 is not UTF-8"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b"[" * 200_000, "nested too deeply"),
        (b"\x1b[2J", "Expecting value, column 1"),
    ],
)
def test_a_broken_line_is_named_or_sent_if_that_is_wanted(line: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        read(b"{}", b"", line)
    assert str(caught.value).startswith(f"orders.jsonl:3: invalid JSON: {reason}")
    assert [event.payload for event in read(b"[]", line, send_broken=True)] == [b"[]", line]


def test_a_line_that_no_record_can_hold_is_named_even_if_broken_lines_are_sent() -> None:
    with pytest.raises(RefusedError, match=r"jsonl:2: the record .* 1048577 bytes .* 1 MiB"):
        read(b"{}", b"x" * (1024 * 1024 - 20), send_broken=True)


@given(line=(st.binary() | NEAR).filter(lambda line: b"\n" not in line and line.strip()))
def test_any_line_can_be_sent_and_is_not_rejected_for_its_key(line: bytes) -> None:
    (event,) = read(line + b"\n", send_broken=True)
    if event.event_id is None:
        assert event.payload == line.rstrip(b"\r")
    with suppress(InvalidEventError):
        assert parse(event.payload, 1).product_id == event.partition_key
