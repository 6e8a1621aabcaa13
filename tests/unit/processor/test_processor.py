"""A batch: which records are done, which come again, and that nothing is lost between the two."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from event_streams import streams
from inventory.event import Event, ProductAdded, ProductRemoved, QuantityMoved, QuantitySet
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, fold
from processor.calls import Unavailable
from processor.processor import process
from processor.records import Record, Result
from processor.writes import Change, ProductState

IGNORE = RemovalNamePolicy.IGNORE


@dataclass
class MemoryTable:
    """A table that takes guarded writes, and has what troubles it is told to have, once each."""

    rows: dict[str, Row] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    unwritable: set[str] = field(default_factory=set)
    answers_lost: set[str] = field(default_factory=set)
    rivals: dict[str, Row] = field(default_factory=dict)
    removed: dict[str, Removal] = field(default_factory=dict)
    writes: int = 0

    def read(self, product_ids: Iterable[str]) -> dict[str, ProductState | Unavailable]:
        return {p: self._state(p) for p in product_ids}

    def _state(self, product_id: str) -> ProductState | Unavailable:
        if self._once(self.unreadable, product_id):
            return Unavailable("Throttling")
        row = self.rows.get(product_id)
        return ProductState(row, None if row else self.removed.get(product_id))

    def write(self, changes: Iterable[Change]) -> dict[str, ProductState | Unavailable]:
        return {c.product_id: why for c in changes if (why := self._make(c)) is not None}

    def _make(self, change: Change) -> ProductState | Unavailable | None:
        product_id = change.product_id
        if self._once(self.unwritable, product_id):
            return Unavailable("Throttling")
        if product_id in self.rivals:
            self.rows[product_id] = self.rivals.pop(product_id)
        row, removed = self.rows.get(product_id), self.removed.get(product_id)
        read = change.before
        if row != read.row or (read.row is None and removed != read.removed):
            return ProductState(row, removed)
        self.writes += 1
        if isinstance(change.after, Removal):
            self.rows.pop(product_id, None)
            self.removed[product_id] = change.after
        else:
            self.rows[product_id] = change.after
        if self._once(self.answers_lost, product_id):
            # The SDK sends a call again whose answer was lost, and meets its own first write.
            return ProductState(self.rows.get(product_id), self.removed.get(product_id))
        return None

    def _once(self, troubles: set[str], product_id: str) -> bool:
        if product_id not in troubles:
            return False
        troubles.remove(product_id)
        return True


@dataclass
class MemoryTopic:
    """A topic that refuses the records it is told to, once each."""

    refuses: set[str] = field(default_factory=set)
    published: list[Result] = field(default_factory=list)

    def publish(self, rejected: Sequence[Result]) -> dict[str, str]:
        refused = {r.record.event_id for r in rejected} & self.refuses
        self.refuses -= refused
        self.published += [r for r in rejected if r.record.event_id not in refused]
        return dict.fromkeys(refused, "Throttled")


Processor = Callable[[Sequence[Record]], list[Result]]


def processor(
    table: MemoryTable, topic: MemoryTopic | None = None, policy: RemovalNamePolicy = IGNORE
) -> Processor:
    to: Any = {"store": table, "topic": topic or MemoryTopic()}
    return partial(process, policy=policy, **to)


def record_of(event: Event) -> Record:
    product: dict[str, Any] = {"product_id": event.product_id}
    match event:
        case ProductAdded(product_name=name, quantity=quantity, timestamp=timestamp):
            product |= {"product_name": name, "quantity": quantity, "timestamp": timestamp}
            kind = "product_added"
        case ProductRemoved(product_name=named):
            product |= {"product_name": named}
            kind = "product_removed"
        case QuantitySet(quantity=level):
            product |= {"quantity": level}
            kind = "product_quantity_changed"
        case QuantityMoved(change=change):
            product |= {"quantity_change": change}
            kind = "product_quantity_changed"
    document: dict[str, Any] = {"event_type": kind, "product": product}
    if event.event_id is not None:
        document["event_id"] = event.event_id
    return record(event.sequence_number, json.dumps(document).encode(), event.product_id)


def record(number: int, data: bytes, key: str = "P1") -> Record:
    return Record(f"shardId-0:{number}", str(number), key, base64.b64encode(data).decode(), 0.0)


def outcomes(results: Iterable[Result]) -> dict[int, Outcome]:
    return {int(r.record.sequence_number): r.outcome for r in results}


def failed(results: Iterable[Result]) -> set[int]:
    return {number for number, o in outcomes(results).items() if o is Outcome.FAILED}


def added(number: int, product_id: str = "P1") -> Record:
    return record_of(ProductAdded(product_id, number, f"e{number}", "Phone", 10, "N/A"))


def moved(number: int, change: int, product_id: str = "P1") -> Record:
    return record_of(QuantityMoved(product_id, number, f"e{number}", change))


def with_id(event_id: str, of: Record) -> Record:
    document = json.loads(base64.b64decode(of.data)) | {"event_id": event_id}
    return record(int(of.sequence_number), json.dumps(document).encode())


def test_a_product_with_many_events_is_written_once() -> None:
    table = MemoryTable()
    processor(table)([added(1), *(moved(n, 1) for n in range(2, 9))])
    assert table.writes == 1
    assert table.rows["P1"].quantity == 17


def test_a_batch_that_changes_nothing_writes_nothing() -> None:
    table = MemoryTable()
    run = processor(table)
    run([added(1)])
    assert set(outcomes(run([added(1)])).values()) == {Outcome.DUPLICATE}
    assert table.writes == 1


def test_a_copy_that_arrives_after_a_removal_is_a_duplicate() -> None:
    table = MemoryTable()
    run = processor(table)
    run([added(1), moved(2, 5)])
    run([record_of(ProductRemoved("P1", 3, "e3", None))])
    copies = [
        with_id("e1", added(4)),
        with_id("e2", moved(5, 5)),
        with_id("e3", record_of(ProductRemoved("P1", 6, "e3", None))),
    ]
    assert set(outcomes(run(copies)).values()) == {Outcome.DUPLICATE}
    assert table.rows == {}
    run([added(7)])
    again = [with_id("e2", moved(8, 5)), with_id("e3", record_of(ProductRemoved("P1", 9, "", "")))]
    assert set(outcomes(run(again)).values()) == {Outcome.DUPLICATE}
    assert table.rows["P1"].quantity == 10
    assert table.writes == 3


def test_a_failed_write_fails_its_product_from_the_first_change_on() -> None:
    table = MemoryTable(unwritable={"P1"})
    batch = [moved(1, 5), added(2), moved(3, -99), moved(4, 1), added(5, "P2")]
    results = processor(table)(batch)
    assert outcomes(results) == {
        1: Outcome.NOT_FOUND,
        2: Outcome.FAILED,
        3: Outcome.FAILED,
        4: Outcome.FAILED,
        5: Outcome.APPLIED,
    }
    assert set(table.rows) == {"P2"}


def test_a_failed_read_fails_its_product_alone() -> None:
    table = MemoryTable(unreadable={"P1"})
    results = processor(table)([added(1), added(2, "P2")])
    assert failed(results) == {1}


def test_an_unpublished_rejection_fails_and_so_does_what_follows() -> None:
    table, topic = MemoryTable(), MemoryTopic(refuses={"shardId-0:2"})
    run = processor(table, topic)
    results = run([added(1), moved(2, -99), moved(3, 1)])
    assert failed(results) == {2, 3}
    assert table.rows["P1"].quantity == 10

    again = run([moved(2, -99), moved(3, 1)])
    assert outcomes(again) == {2: Outcome.REJECTED, 3: Outcome.APPLIED}
    assert [r.record.sequence_number for r in topic.published] == ["2"]


def test_an_invalid_record_that_cannot_be_published_fails_alone() -> None:
    topic = MemoryTopic(refuses={"shardId-0:1"})
    run = processor(MemoryTable(), topic)
    assert failed(run([record(1, b"{"), added(2)])) == {1}
    assert failed(run([record(1, b"{")])) == set()
    assert [r.reason for r in topic.published] == [
        "data is not JSON: Expecting property name enclosed in double quotes (line 1, column 2)"
    ]


def test_events_are_applied_again_if_the_row_changed_before_the_write() -> None:
    table = MemoryTable(rivals={"P1": Row("P1", "Phone", 50, "N/A", 1, ("e1",))})
    results = processor(table)([added(1), moved(2, 1)])
    assert outcomes(results) == {1: Outcome.DUPLICATE, 2: Outcome.APPLIED}
    assert table.rows["P1"].quantity == 51


def test_a_write_whose_response_was_lost_counts_as_done() -> None:
    table = MemoryTable(answers_lost={"P1", "P2"})
    run = processor(table)
    assert outcomes(run([added(1)])) == {1: Outcome.APPLIED}
    run([added(2, "P2")])
    removal = record_of(ProductRemoved("P2", 3, None, None))
    table.answers_lost = {"P2"}
    assert outcomes(run([removal])) == {3: Outcome.APPLIED}


@given(
    streams(),
    st.sampled_from(list(RemovalNamePolicy)),
    st.sets(st.sampled_from(["P1", "P2", "P3"])),
    st.sets(st.sampled_from(["P1", "P2", "P3"])),
    st.sets(st.sampled_from(["P1", "P2", "P3"])),
    st.sets(st.integers(1, 20)),
    st.data(),
)
def test_the_table_is_right_and_no_record_is_lost_whatever_fails(
    events: list[Event],
    names: RemovalNamePolicy,
    unreadable: set[str],
    unwritable: set[str],
    answers_lost: set[str],
    refused: set[int],
    data: st.DataObject,
) -> None:
    table = MemoryTable({}, unreadable, unwritable, answers_lost)
    topic = MemoryTopic({f"shardId-0:{number}" for number in refused})
    run = processor(table, topic, names)
    left = [record_of(event) for event in events]
    while left:
        size = data.draw(st.integers(1, len(left)))
        batch, left = left[:size], left[size:]
        while batch:
            results = run(batch)
            assert {id(r.record) for r in results} == {id(r) for r in batch}
            again = failed(results)
            batch = [r for r in batch if int(r.sequence_number) in again]

    expected, rejected = reference(events, names)
    assert table.rows == expected
    assert {int(r.record.sequence_number) for r in topic.published} == rejected


def reference(events: list[Event], names: RemovalNamePolicy) -> tuple[dict[str, Row], set[int]]:
    """The rows, and the numbers of the rejected, by a plain fold of each product's events."""
    rows: dict[str, Row] = {}
    rejected: set[int] = set()
    for product_id in {event.product_id for event in events}:
        mine = [event for event in events if event.product_id == product_id]
        steps = fold(None, mine, names)
        if (row := steps[-1].row) is not None:
            rows[product_id] = row
        rejected |= {
            event.sequence_number
            for event, step in zip(mine, steps, strict=True)
            if step.outcome is Outcome.REJECTED
        }
    return rows, rejected
