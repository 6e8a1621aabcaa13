"""Rows for people are sorted naturally and cannot steer a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from inventory.stock import Row
from operations.table import changes, natural, rendered

ROW = Row("P1", "Tablet", 3, "N/A", 7, ("e1",))


def test_ids_are_sorted_by_their_numbers() -> None:
    assert sorted(["P10", "P2", "P", "Q1", "P02x"], key=natural) == ["P", "P2", "P02x", "P10", "Q1"]


@given(st.text(), st.text())
def test_any_two_ids_can_be_sorted(one: str, other: str) -> None:
    assert sorted([one, other], key=natural) == sorted([other, one], key=natural) or (
        natural(one) == natural(other)
    )


def test_markup_in_a_name_is_shown_not_obeyed() -> None:
    out = io.StringIO()
    row = replace(ROW, product_name="[red]x[/red]\x1b[2J")
    Console(file=out, width=120).print(rendered([row]))
    assert "[red]x[/red]\\x1b[2J" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_equal_tables_have_no_differences_whatever_guards_their_rows() -> None:
    assert list(changes({"P1": ROW}, {"P1": replace(ROW, sequence_number=9)})) == []


def test_each_difference_names_product_expected_and_found() -> None:
    other = replace(ROW, quantity=4)
    assert list(changes({"P1": ROW, "P10": ROW, "P2": ROW}, {"P1": other, "P10": ROW})) == [
        "P1: expected product_name='Tablet', quantity=3, timestamp='N/A', "
        "found product_name='Tablet', quantity=4, timestamp='N/A'",
        "P2: expected product_name='Tablet', quantity=3, timestamp='N/A', found no row",
    ]
