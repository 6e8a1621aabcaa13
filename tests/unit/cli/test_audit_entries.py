"""What an entry of the audit log says of a change, as a line and for people."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_items import items
from inventory.items import item_of
from inventory.stock import Row
from inventory_cli.audit import showing
from inventory_cli.audit.entry import Entry, Kind, entry_of, line, parse
from inventory_cli.audit.images import image
from operations.table_stream import Change, Place

PLACE = Place("arn:aws:dynamodb:eu-west-1:1:table/t/stream/2026", "shardId-1", "77")
LAMP = Row("P1", "Lamp", 3, "2026-01-01 00:00:00", 7, ("e1",))


def entry(before: Any, after: Any, previous: Any = None) -> Entry:
    images = [item_of(row) if isinstance(row, Row) else row for row in (before, after)]
    return entry_of(Change(PLACE, 1e9, {"product_id": {"S": "P1"}}, *images), previous or {})


def row(quantity: int, number: int, *ids: str, name: str = "Lamp") -> Row:
    return Row("P1", name, quantity, LAMP.timestamp, number, ids)


CASES = [
    (None, LAMP, Kind.ADDED, "product_added", ["e1"]),
    (LAMP, row(5, 9, "e1", "e2"), Kind.QUANTITY, "product_quantity_changed", ["e2"]),
    (LAMP, row(5, 9, "e1", "e2", name="Desk"), Kind.OVERWRITTEN, "product_added", ["e2"]),
    (LAMP, row(3, 9, "e1", "e2"), Kind.RESTATED, None, ["e2"]),
    (LAMP, row(5, 9, "e1", "e2", "e3"), Kind.QUANTITY, None, ["e2", "e3"]),
    (LAMP, row(5, 9, "e1"), Kind.QUANTITY, "product_quantity_changed", []),
    (LAMP, None, Kind.REMOVED, "product_removed", []),
]


@pytest.mark.parametrize(("before", "after", "kind", "event_type", "ids"), CASES)
def test_who_changed_a_row_follows_from_what_it_was_and_is(
    before: Any, after: Any, kind: Kind, event_type: str | None, ids: list[str]
) -> None:
    told = entry(before, after)
    assert (told.kind, told.event_type, list(told.event_ids)) == (kind, event_type, ids)
    assert told.by_event


def test_a_row_whose_sequence_number_stays_was_written_by_no_event() -> None:
    told = entry(LAMP, row(99, 7, "e1"))
    assert not told.by_event
    assert told.event_type is None
    assert "not by an event" in next(showing.text(told))


def test_a_row_whose_number_somebody_else_wrote_without_its_zeros_is_still_compared_with() -> None:
    unpadded = item_of(LAMP) | {"sequence_number": {"S": "7"}}
    assert entry(unpadded, row(5, 8, "e1", "e2")).by_event
    assert not entry(LAMP, unpadded).by_event


def test_a_row_without_a_sequence_number_was_written_by_no_event() -> None:
    assert not entry(None, {"product_id": {"S": "P1"}}).by_event


def test_a_change_that_does_not_begin_where_the_last_one_ended_is_marked() -> None:
    left = image(item_of(LAMP))
    assert not entry(LAMP, None, {"P1": left}).gap
    assert entry(row(4, 8, "e1"), None, {"P1": left}).gap
    assert entry(None, LAMP, {"P1": left}).gap
    assert not entry(LAMP, None, {"P2": left}).gap, "of this product nothing was there before"


def test_people_read_what_changed_and_who_changed_it() -> None:
    assert [*showing.text(entry(LAMP, row(5, 9, "e1", "e2")))] == [
        "2001-09-09T01:46:40Z  P1  quantity: quantity 3 → 5  (product_quantity_changed e2)"
    ]
    assert [*showing.text(entry(LAMP, None, {"P1": None}))] == [
        "2001-09-09T01:46:40Z  P1  changes are missing here",
        "2001-09-09T01:46:40Z  P1  removed: product_name 'Lamp', quantity 3, "
        "timestamp '2026-01-01 00:00:00'  (product_removed; a deleted row does not "
        "have its id)",
    ]


@given(st.one_of(st.none(), items()), items())
def test_whatever_somebody_wrote_into_the_table_is_told_on_a_line_and_read_back(
    before: Any, after: Any
) -> None:
    told = entry(before, after)
    written = line(told)
    assert written.isascii()
    assert "\n" not in written
    assert parse(written) == told
    for shown in showing.text(told):
        assert all(c.isprintable() or c.isspace() for c in shown)
        assert not set(shown) & set("\x1b\r\n\t\x07\u202e")


def test_the_ids_that_a_row_remembers_are_not_part_of_its_image() -> None:
    assert image(item_of(LAMP)) == {
        "product_id": "P1",
        "product_name": "Lamp",
        "quantity": 3,
        "sequence_number": f"{7:056d}",
        "timestamp": "2026-01-01 00:00:00",
    }


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", "{", '{"at": "x"}', "\x00"])
def test_what_is_no_entry_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)
