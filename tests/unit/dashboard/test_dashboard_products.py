from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboard.model.event import TrackedEvent
from dashboard.model.products import EVENTS_PER_PRODUCT, Products
from inventory.stock import Row
from inventory_aws.stream import StreamRecord


def row(product_id: str, quantity: int = 1) -> Row:
    return Row(product_id, "Lamp", quantity, "N/A")


@given(
    st.lists(st.tuples(st.sampled_from("ABCDE"), st.none() | st.integers(0, 9)), max_size=60),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_a_reader_of_diffs_has_the_whole_table_however_rarely_it_reads(
    changes: list[tuple[str, int | None]], looks: list[int]
) -> None:
    products = Products()
    products.reset([row("A", 100), row("F", 100)])
    seen: dict[str, int | str] = {}
    version = -1

    def look() -> int:
        diff = products.since(version)
        if diff.whole:
            seen.clear()
        seen.update({shown.row.product_id: shown.row.quantity for shown in diff.rows})
        for product_id in diff.removed:
            seen.pop(product_id, None)
        return diff.version

    truth = {"A": 100, "F": 100}
    for place, (product_id, quantity) in enumerate(changes):
        if place in looks:
            version = look()
        products.change(product_id, None if quantity is None else row(product_id, quantity), 1.0)
        truth.pop(product_id, None)
        if quantity is not None:
            truth[product_id] = quantity
    version = look()
    assert seen == truth
    assert products.since(version).rows == []


def test_after_a_new_scan_the_next_diff_has_the_whole_table() -> None:
    products = Products()
    products.reset([row("A")])
    version = products.since(-1).version
    products.reset([row("B")])
    diff = products.since(version)
    assert diff.whole
    assert [shown.row.product_id for shown in diff.rows] == ["B"]


def test_a_new_scan_keeps_the_times_of_rows_that_are_the_same() -> None:
    products = Products()
    products.reset([row("A"), row("B")], at=5.0)
    products.change("A", row("A", 2), 6.0)
    products.reset([row("A", 2), row("B", 3), row("C")], at=9.0)
    changed = {shown.row.product_id: shown.changed_at for shown in products.since(-1).rows}
    assert changed == {"A": 6.0, "B": 9.0, "C": 9.0}


def test_a_history_has_the_latest_events_the_newest_first() -> None:
    products = Products()
    data = b'{"event_type": "product_removed", "product": {"product_id": "A"}}'
    for number in range(EVENTS_PER_PRODUCT + 5):
        products.remember(TrackedEvent.of(StreamRecord("shard-0", number, 0.0, data, "A")))
    history = products.history("A")
    assert len(history) == EVENTS_PER_PRODUCT
    assert history[0].place[1] == EVENTS_PER_PRODUCT + 4
    assert products.history("B") == []
