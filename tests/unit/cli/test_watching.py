"""The table as `inventory table --watch` shows it."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from inventory.items import item_of
from inventory.stock import Row
from inventory_cli.activity import line
from inventory_cli.watching import MARKED_SECONDS, Watched, rendered, told
from operations.table_stream import Change, Place


def row(product_id: str = "P1", quantity: int = 5, number: int = 1, name: str = "Phone") -> Row:
    return Row(product_id, name, quantity, "N/A", number, (f"e{number}",))


def change(before: Row | None, after: Row | None) -> Change:
    place = Place("stream", "shard", "1")
    product_id = (before or after or row()).product_id
    images: list[Any] = [item_of(r) if r else None for r in (before, after)]
    return Change(place, 0.0, {"product_id": {"S": product_id}}, *images)


def seen(watched: Watched, most: int = 10, now: float = 0.0) -> list[tuple[str, int, str]]:
    return [(r.product_id, int(r.quantity), str(m or "")) for r, m in watched.shown(most, now)]


def test_in_the_output_of_compose_a_change_is_a_line() -> None:
    changes = [(None, row()), (row(), row(quantity=3)), (row(), row(name="Desk")), (row(), None)]
    assert [line(change(before, after)) for before, after in changes] == [
        "P1     added    Phone, quantity 5",
        "P1     changed  Phone, quantity 5 → 3",
        "P1     changed  Phone → Desk, quantity 5",
        "P1     removed  Phone, quantity 5",
    ]


def test_a_row_tells_for_a_while_what_has_become_of_it() -> None:
    watched = Watched({"P1": row(), "P2": row("P2")})
    watched.take([change(row(), row(quantity=3, number=2)), change(None, row("P3"))], 0.0)
    assert seen(watched) == [("P1", 3, "-2"), ("P2", 5, ""), ("P3", 5, "new")]
    watched.take([change(row("P2"), None)], 1.0)
    assert seen(watched, now=1.0) == [("P1", 3, "-2"), ("P2", 5, "removed"), ("P3", 5, "new")]
    assert seen(watched, now=1.0 + MARKED_SECONDS) == [("P1", 3, ""), ("P3", 5, "")]


def test_a_row_that_changes_but_not_in_quantity_says_so() -> None:
    watched = Watched({"P1": row()})
    watched.take([change(row(), row(number=2, name="Desk"))], 0.0)
    assert seen(watched) == [("P1", 5, "changed")]


def test_what_was_read_with_the_table_already_is_no_news() -> None:
    first, second = row(quantity=3, number=2), row(quantity=9, number=3)
    watched = Watched({"P1": second})
    records = [change(row(), first), change(first, second), change(row(number=1), None)]
    assert watched.take(records, 0.0) == []
    assert seen(watched) == [("P1", 9, "")]


def test_a_removal_that_was_read_already_is_no_news() -> None:
    watched = Watched({})
    assert watched.take([change(row(), None)], 0.0) == []


def test_of_more_rows_than_fit_those_come_first_that_changed_last() -> None:
    watched = Watched({f"P{n}": row(f"P{n}") for n in range(10)})
    for n in (7, 3):
        watched.take([change(row(f"P{n}"), row(f"P{n}", 6, 2))], 0.0)
    assert seen(watched, most=3) == [("P3", 6, "+1"), ("P7", 6, "+1"), ("P0", 5, "")]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9) | st.none()), max_size=30))
def test_the_rows_are_those_that_the_stream_has_told_of(
    steps: list[tuple[int, int | None]],
) -> None:
    watched, rows = Watched({}), dict[str, Row]()
    for number, (n, quantity) in enumerate(steps):
        before = rows.pop(f"P{n}", None)
        after = None if quantity is None else row(f"P{n}", quantity, number)
        if before is None and after is None:
            continue
        if after is not None:
            rows[f"P{n}"] = after
        watched.take([change(before, after)], float(number))
        shown = watched.shown(3, float(number))
        assert len(shown) <= 3
        assert {
            r.product_id: r for r, mark in shown if not mark or mark.kind != "removed"
        }.items() <= (rows.items())
    assert watched.rows == rows


def test_a_change_is_told_as_the_row_or_as_one_that_is_gone() -> None:
    assert told(change(None, row())) == {
        "product_id": "P1",
        "product_name": "Phone",
        "quantity": 5,
        "timestamp": "N/A",
    }
    assert told(change(row(), None)) == {"product_id": "P1", "removed": True}


def test_what_a_row_holds_is_shown_and_never_obeyed() -> None:
    watched = Watched({"P1": row(name="\x1b[31m[bold]<b>")})
    console = Console(file=io.StringIO(), width=100)
    console.print(rendered(watched.shown(10, 0.0), 1))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\\x1b[31m[bold]<b>" in text
    assert "\x1b" not in text
    assert line(change(None, row("\x1b[2J", name="\n"))).isprintable()
