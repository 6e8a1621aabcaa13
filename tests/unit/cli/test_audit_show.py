"""What is shown of the audit log: which entries, in which layout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cli.table_streams import item

from inventory.stock import Row
from inventory_cli.audit.entry import AuditEntry, entry_of, moment
from inventory_cli.audit.show import TableStatus, is_chosen, json_lines, since
from operations.table_stream.records import Place, Record

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def entry(product_id: str, before: int | None, after: int | None, at: int = 0) -> AuditEntry:
    images = [None if n is None else item(product_id, n, n, f"e{n}") for n in (before, after)]
    record = Record(
        Place("s", "h", "1"), NOW.timestamp() + at, {"product_id": {"S": product_id}}, *images
    )
    return entry_of(record, {})


def row(product_id: str, quantity: int) -> Row:
    return Row(product_id, "Lamp", quantity, "N/A")


def shown_item(product_id: str, quantity: int) -> str:
    return (
        f'{{"quantity": {{"N": "{quantity}"}}, "product_name": {{"S": "Lamp"}}, '
        f'"product_id": {{"S": "{product_id}"}}, "timestamp": {{"S": "N/A"}}}}'
    )


def test_the_status_layout_has_the_table_before_and_after_each_change() -> None:
    now = {"P10": row("P10", 5), "P2": row("P2", 8), "P3": row("P3", 1)}
    lines = TableStatus(now).lines
    rule = "-" * 34
    first = [entry("P2", 6, 7), entry("P2", 7, 8), entry("P1", 4, None)]
    assert [*lines(first)][:7] == [
        "Dynamodb Status before Operation....",
        rule,
        shown_item("P1", 4),
        shown_item("P2", 6),
        shown_item("P3", 1),
        shown_item("P10", 5),
        rule,
    ]
    assert [*lines([entry("P3", 1, 2)])] == [
        "",
        'Operation/Event --------> {"event_type": "product_quantity_changed", '
        '"event_ids": ["e2"], "product_id": "P3", "at": "2026-01-31T12:00:00Z"}',
        "",
        "Dynamodb Status after Operation....",
        rule,
        shown_item("P2", 8),
        shown_item("P3", 2),
        shown_item("P10", 5),
        rule,
    ]


def test_json_lines_are_those_of_the_log() -> None:
    entries = [entry("P1", 1, 2), entry("P2", 1, 2)]
    assert [*json_lines(entries)] == [entry.line() for entry in entries]


def test_a_product_and_a_start_time_choose_the_entries() -> None:
    entries = [entry("P1", 1, 2, at=-1), entry("P2", 1, 2), entry("P1", 2, 3)]
    start = since("2026-01-31T12:00", NOW)
    assert [each for each in entries if is_chosen(each, "P1", start)] == entries[2:]
    assert all(is_chosen(each, None, None) for each in entries)


@pytest.mark.parametrize(
    ("at", "is_shown"),
    [(0, True), (-1, False), (-60, False), (29, False), (30, True), (60, True)],
)
def test_a_whole_minute_counts_as_all_of_it_as_localstack_gives_no_seconds(
    at: int, is_shown: bool
) -> None:
    start = since("30s", NOW + timedelta(minutes=1))
    assert is_chosen(entry("P1", 1, 2, at=at), None, start) is is_shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", "2026-01-31T11:58:30Z"),
        ("10m", "2026-01-31T11:50:00Z"),
        ("2h", "2026-01-31T10:00:00Z"),
        ("3d", "2026-01-28T12:00:00Z"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T11:30", "2026-01-31T11:30:00Z"),
        ("2026-01-31T11:30:00+02:00", "2026-01-31T09:30:00Z"),
        ("2026-01-31T11:30:00Z", "2026-01-31T11:30:00Z"),
    ],
)
def test_a_start_is_a_time_or_how_long_ago(text: str, expected: str) -> None:
    assert since(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "10", "m", "10x", "yesterday", "-5m", "\u0661m"])
def test_a_text_that_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        since(text, NOW)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_times_sort_as_texts(one: int, other: int) -> None:
    first, second = (moment(NOW + timedelta(seconds=n)) for n in (one, other))
    assert (first < second) == (one < other)
