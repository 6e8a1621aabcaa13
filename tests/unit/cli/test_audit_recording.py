"""The audit log has every change once and in order, despite resharding, crashes and torn lines."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cli.table_streams import TABLE, FakeTable

from inventory_cli.audit.entry import AuditEntry, image
from inventory_cli.audit.log import LogError, LogReader, record
from operations.table_stream.follower import NoStreamError

PRODUCTS = ["P1", "P2", "P3", "P4", "P5", "P6"]


@pytest.fixture(scope="module", autouse=True)
def _quick_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


class Audit:
    """A program that records into a log, and can be killed at any moment."""

    def __init__(self, table: Any, log: Path, arn: str = TABLE) -> None:
        self.table = table
        self.log = log
        self.arn = arn
        self.notes: list[str] = []
        self.begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def begin(self) -> None:
        self.looks = record(self.table, self.arn, self.log, self.notes.append)

    def end(self) -> None:
        self.looks.close()

    def look(self) -> None:
        next(self.looks)

    def catch_up(self) -> None:
        while not next(self.looks):
            pass

    def crash(self, torn_bytes: int = 0) -> None:
        """What was last written may be on the disk in part."""
        self.end()
        if self.log.exists():
            os.truncate(self.log, max(0, self.log.stat().st_size - torn_bytes))
        self.begin()

    def entries(self) -> list[AuditEntry]:
        return list(LogReader(self.log).new())


def changes(entries: list[AuditEntry]) -> dict[str, list[Any]]:
    found = defaultdict(list)
    for entry in entries:
        found[entry.product_id].append((entry.before, entry.after))
    return found


def expected(table: FakeTable) -> dict[str, list[Any]]:
    """The changes of each product, in their order."""
    found = defaultdict(list)
    for product_id, before, after in table.written:
        found[product_id].append((image(before), image(after)))
    return found


CHANGES = st.tuples(st.just("change"), st.lists(st.sampled_from(PRODUCTS), min_size=4, max_size=12))
RESHARDING = st.tuples(st.just("split"), st.integers(0, 15), st.integers(1, 2))
CRASH = st.tuples(st.just("crash"), st.integers(0, 1500))
ROUNDS = st.lists(
    st.tuples(
        CHANGES,
        st.one_of(RESHARDING, CRASH, st.just(("expire",)), st.just(("make_stream",))),
        CHANGES,
        st.tuples(st.just("look"), st.integers(0, 4)),
    ),
    min_size=1,
    max_size=6,
)


def carry_out(step: Any, table: FakeTable, audit: Audit) -> None:
    match step:
        case "change", products:
            for product in products:
                table.change(product)
        case "look", times:
            for _ in range(times):
                audit.look()
        case "split", choice, parts:
            table.split(choice, parts)
        case "crash", torn_bytes:
            audit.crash(torn_bytes)
        case ("expire",):
            table.expire_iterators()
        case ("make_stream",):
            table.make_stream()


@given(ROUNDS, st.integers(1, 5), st.integers(0, 2))
def test_every_change_is_in_the_log_once_and_in_order_for_its_product(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[Any], page: int, empty_pages: int
) -> None:
    table = FakeTable(page, empty_pages)
    with Audit(table, tmp_path_factory.mktemp("log") / "log.jsonl") as audit:
        for step in chain.from_iterable(rounds):
            carry_out(step, table, audit)
        for _ in range(1 + empty_pages):  # the first counts reads that were empty before
            audit.catch_up()
    entries = audit.entries()
    assert changes(entries) == expected(table)
    assert not any(entry.gap for entry in entries)
    assert audit.notes == []


@given(st.integers(0, 4000))
def test_a_log_cut_anywhere_is_completed_to_the_same_log(
    tmp_path_factory: pytest.TempPathFactory, torn_bytes: int
) -> None:
    table = FakeTable()
    with Audit(table, tmp_path_factory.mktemp("log") / "log.jsonl") as audit:
        for product in PRODUCTS * 2:
            table.change(product)
        audit.catch_up()
        whole = audit.log.read_bytes()
        audit.crash(torn_bytes)
        audit.catch_up()
        assert audit.log.read_bytes() == whole


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture
def audit(table: FakeTable, tmp_path: Path) -> Iterator[Audit]:
    with Audit(table, tmp_path / "of" / "log.jsonl") as audit:
        yield audit


def test_a_child_waits_for_its_parent_though_it_is_listed_first(
    table: FakeTable, audit: Audit
) -> None:
    for _ in range(7):
        table.change("P1")
    table.split(0, 2)
    table.change("P1")
    audit.catch_up()
    assert changes(audit.entries()) == expected(table)


def test_an_iterator_that_expired_is_replaced_where_reading_stopped(
    table: FakeTable, audit: Audit
) -> None:
    for _ in range(7):
        table.change("P1")
    audit.look()
    table.expire_iterators()
    audit.catch_up()
    assert changes(audit.entries()) == expected(table)


def test_changes_that_were_trimmed_unread_leave_a_gap_mark_at_the_product(
    table: FakeTable, audit: Audit
) -> None:
    for product in ("P1", "P2", "P1"):
        table.change(product)
    audit.catch_up()
    audit.crash()
    table.change("P1")
    table.trim()
    table.change("P1")
    table.change("P2")
    audit.catch_up()
    assert [(entry.product_id, entry.gap) for entry in audit.entries()[3:]] == [
        ("P1", True),
        ("P2", False),
    ]
    assert "no longer has" in audit.notes[0]


def test_a_deleted_stream_is_reported_and_the_next_one_is_read(
    table: FakeTable, audit: Audit
) -> None:
    table.change("P1")
    audit.catch_up()
    audit.crash()
    table.make_stream()
    del table.streams[0]
    table.change("P2")
    audit.catch_up()
    assert [entry.product_id for entry in audit.entries()] == ["P1", "P2"]
    assert "was deleted" in audit.notes[0]


def test_a_log_of_another_emulator_is_not_continued(table: FakeTable, audit: Audit) -> None:
    table.make_stream()
    table.change("P1")
    audit.catch_up()
    audit.crash()
    del table.streams[-1]
    with pytest.raises(NoStreamError, match="newer"):
        audit.catch_up()


def test_a_log_of_another_table_is_refused(table: FakeTable, audit: Audit) -> None:
    table.change("P1")
    audit.catch_up()
    audit.crash()
    other = Audit(table, audit.log, f"{TABLE}-2")
    with (
        other,
        pytest.raises(LogError, match=r"is the log of .*/products, not of .*/products-2"),
    ):
        other.look()


def test_a_file_that_is_not_a_log_is_refused_and_not_changed(
    table: FakeTable, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("something of mine\nnot ended")
    table.change("P1")
    with Audit(table, mine) as other, pytest.raises(LogError, match=r"Line 1 of .*mine.txt"):
        other.look()
    assert mine.read_text() == "something of mine\nnot ended"


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", "{", '{"at": "x"}', "\x00", "\xff"])
def test_a_line_that_is_not_an_entry_is_refused(text: str, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(f"{text}\n".encode("latin-1"))
    with pytest.raises(LogError, match=r"Line 1 of .*log\.jsonl is not an entry"):
        list(LogReader(log).new())


def test_a_second_recorder_waits_for_the_first_and_then_continues(
    table: FakeTable, audit: Audit
) -> None:
    table.change("P1")
    audit.catch_up()
    with Audit(table, audit.log) as second:
        table.change("P2")
        second.catch_up()
        second.look()
        assert [entry.product_id for entry in second.entries()] == ["P1"]
        assert len(second.notes) == 1, "it says so once"
        audit.end()
        while len(second.entries()) < 2:
            second.look()
    assert [entry.product_id for entry in second.entries()] == ["P1", "P2"]


def test_a_line_that_is_being_written_is_not_shown_yet(table: FakeTable, audit: Audit) -> None:
    for product in PRODUCTS:
        table.change(product)
    audit.catch_up()
    whole = audit.log.read_bytes()
    grown = audit.log.with_name("grown.jsonl")
    reader = LogReader(grown)
    seen: list[str] = []
    for end in range(0, len(whole) + 1, 7):
        grown.write_bytes(whole[:end])
        seen += [entry.line() for entry in reader.new()]
    grown.write_bytes(whole)
    seen += [entry.line() for entry in reader.new()]
    assert "\n".join(seen) + "\n" == whole.decode()


def test_a_file_that_cannot_be_written_is_named(
    table: FakeTable, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    table.change("P1")
    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match=r"log\.jsonl"):
        audit.look()
