"""A change of a row, as `inventory table --watch` prints it."""

from __future__ import annotations

from typing import Any

from inventory.items import item_of
from inventory.stock import Row
from inventory_cli.commands.table import change_text, change_values
from operations.table_stream import Change, Place


def row(product_id: str = "P1", quantity: int = 5, name: str = "Phone") -> Row:
    return Row(product_id, name, quantity, "N/A", 1, ("e1",))


def change(before: Row | None, after: Row | None) -> Change:
    place = Place("stream", "shard", "1")
    product_id = (before or after or row()).product_id
    images: list[Any] = [item_of(r) if r else None for r in (before, after)]
    return Change(place, 0.0, {"product_id": {"S": product_id}}, *images)


def test_a_change_is_one_line_for_people() -> None:
    changes = [
        (None, row()),
        (row(), row(quantity=3)),
        (row(), row(name="Desk")),
        (row(), None),
        (None, None),
    ]
    assert [change_text(change(before, after)) for before, after in changes] == [
        "P1     added    Phone, quantity 5",
        "P1     changed  Phone, quantity 5 → 3",
        "P1     changed  Phone → Desk, quantity 5",
        "P1     removed  Phone, quantity 5",
        "P1     removed",
    ]


def test_for_programs_a_change_is_the_new_row_or_the_id_of_the_removed_one() -> None:
    assert change_values(change(None, row())) == {
        "product_id": "P1",
        "product_name": "Phone",
        "quantity": 5,
        "timestamp": "N/A",
    }
    assert change_values(change(row(), None)) == {"product_id": "P1", "removed": True}


def test_texts_of_a_row_are_escaped() -> None:
    text = change_text(change(None, row("\x1b[2J", name="\x1b[31m[bold]<b>\n")))
    assert text.isprintable()
    assert "\\x1b[31m[bold]<b>" in text
