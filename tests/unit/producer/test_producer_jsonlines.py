from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_events import NEAR
from inventory.event import InvalidEventError, parse
from producer.errors import CannotStartError
from producer.event import Event
from producer.jsonlines import events


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
    assert first == second
    assert first.partition_key.startswith("line-")
    assert first.partition_key != other.partition_key
    assert (first.kind, first.event_id) == ("other", None)


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
    with pytest.raises(CannotStartError) as caught:
        read(b"{}", b"", line)
    assert str(caught.value).startswith(f"orders.jsonl:3: invalid JSON: {reason}")
    assert [event.payload for event in read(b"{}", line, send_broken=True)] == [b"{}", line]


def test_a_line_that_no_record_can_hold_is_named_even_if_broken_lines_are_sent() -> None:
    with pytest.raises(CannotStartError, match=r"jsonl:2: the record .* 1048577 bytes .* 1 MiB"):
        read(b"{}", b"x" * (1024 * 1024 - 20), send_broken=True)


@given(line=(st.binary() | NEAR).filter(lambda line: b"\n" not in line and line.strip()))
def test_any_line_can_be_sent_and_is_not_rejected_for_its_key(line: bytes) -> None:
    (event,) = read(line + b"\n", send_broken=True)
    assert event.payload == line.rstrip(b"\r")
    with suppress(InvalidEventError):
        assert parse(event.payload, 1).product_id == event.partition_key
