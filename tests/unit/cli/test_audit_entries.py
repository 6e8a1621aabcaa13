"""An entry of the audit log, as JSON and as text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_items import items
from inventory.items import item_of
from inventory.stock import Row
from inventory_cli.audit import show
from inventory_cli.audit.entry import AuditEntry, entry_of, image
from operations.table_stream.records import Place, Record

PLACE = Place("arn:aws:dynamodb:eu-west-1:1:table/t/stream/2026", "shardId-1", "77")
LAMP = Row("P1", "Lamp", 3, "2026-01-01 00:00:00", 7, ("e1",))


def entry(before: Any, after: Any, previous: Any = None) -> AuditEntry:
    images = [item_of(row) if isinstance(row, Row) else row for row in (before, after)]
    return entry_of(Record(PLACE, 1e9, {"product_id": {"S": "P1"}}, *images), previous or {})


def row(quantity: int, number: int, *ids: str, name: str = "Lamp") -> Row:
    return Row("P1", name, quantity, LAMP.timestamp, number, ids)


CASES = [
    (None, LAMP, "added", "product_added", ["e1"]),
    (LAMP, row(5, 9, "e1", "e2"), "quantity", "product_quantity_changed", ["e2"]),
    (LAMP, row(5, 9, "e1", "e2", name="Desk"), "overwritten", "product_added", ["e2"]),
    (LAMP, row(3, 9, "e1", "e2"), "restated", None, ["e2"]),
    (LAMP, row(5, 9, "e1", "e2", "e3"), "quantity", None, ["e2", "e3"]),
    (LAMP, row(5, 9, "e1"), "quantity", "product_quantity_changed", []),
    (LAMP, None, "removed", "product_removed", []),
]


@pytest.mark.parametrize(("before", "after", "change", "event_type", "ids"), CASES)
def test_the_change_and_its_event_follow_from_the_row_before_and_after(
    before: Any, after: Any, change: str, event_type: str | None, ids: list[str]
) -> None:
    made = entry(before, after)
    assert (made.change, made.event_type, made.event_ids) == (change, event_type, ids)
    assert made.by_event


def test_a_row_that_keeps_its_sequence_number_was_not_written_by_an_event() -> None:
    made = entry(LAMP, row(99, 7, "e1"))
    assert not made.by_event
    assert made.event_type is None
    assert "not by an event" in next(show.text([made]))


def test_a_sequence_number_without_leading_zeros_is_compared_too() -> None:
    unpadded = item_of(LAMP) | {"sequence_number": {"S": "7"}}
    assert entry(unpadded, row(5, 8, "e1", "e2")).by_event
    assert not entry(LAMP, unpadded).by_event


def test_a_row_without_a_sequence_number_was_not_written_by_an_event() -> None:
    assert not entry(None, {"product_id": {"S": "P1"}}).by_event


def test_a_change_that_does_not_start_where_the_last_one_ended_has_a_gap() -> None:
    left = image(item_of(LAMP))
    assert not entry(LAMP, None, {"P1": left}).gap
    assert entry(row(4, 8, "e1"), None, {"P1": left}).gap
    assert entry(None, LAMP, {"P1": left}).gap
    assert not entry(LAMP, None, {"P2": left}).gap, "of this product nothing was there before"


def test_the_text_says_what_changed_and_which_event_changed_it() -> None:
    assert [*show.text([entry(LAMP, row(5, 9, "e1", "e2"))])] == [
        "2001-09-09T01:46:40Z  P1  quantity: quantity 3 → 5  (product_quantity_changed e2)"
    ]
    assert [*show.text([entry(LAMP, None, {"P1": None})])] == [
        "2001-09-09T01:46:40Z  P1  changes are missing here",
        "2001-09-09T01:46:40Z  P1  removed: product_name 'Lamp', quantity 3, "
        "timestamp '2026-01-01 00:00:00'  (product_removed; a deleted row does not "
        "have its id)",
    ]


@given(st.one_of(st.none(), items()), items())
def test_any_item_of_the_table_becomes_a_safe_line_that_can_be_read_back(
    before: Any, after: Any
) -> None:
    made = entry(before, after)
    written = made.line()
    assert written.isascii()
    assert "\n" not in written
    assert AuditEntry(**json.loads(written)) == made
    for shown in show.text([made]):
        assert all(c.isprintable() or c.isspace() for c in shown)
        assert not set(shown) & set("\x1b\r\n\t\x07\u202e")


def test_the_event_ids_of_a_row_are_not_part_of_its_image() -> None:
    assert image(item_of(LAMP)) == {
        "product_id": "P1",
        "product_name": "Lamp",
        "quantity": 3,
        "sequence_number": f"{7:056d}",
        "timestamp": "2026-01-01 00:00:00",
    }


def test_types_that_the_function_does_not_write_stay_in_the_notation_of_dynamodb() -> None:
    item: Any = {"tags": {"SS": ["b", "a"]}, "raw": {"M": {"x": {"B": b"\x00"}}}, "n": {"N": "1.5"}}
    assert image(item) == {"n": 1.5, "raw": {"M": {"x": {"B": "AA=="}}}, "tags": {"SS": ["a", "b"]}}
