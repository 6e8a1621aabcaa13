"""The rows and outcomes that events produce."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row
from operations.expectation import expect

IGNORE = RemovalNamePolicy.IGNORE


def event(event_type: str, **product: object) -> bytes:
    return json.dumps({"event_type": event_type, "product": product}).encode()


RECORDS = [
    (1, "P1", event("product_added", product_id="P1", product_name="Phone", quantity=5)),
    (2, "P1", event("product_quantity_changed", product_id="P1", quantity_change=-9)),
    (3, "P2", event("product_removed", product_id="P2")),
    (4, "P1", b"{"),
    (5, "P1", event("product_quantity_changed", product_id="P1", quantity=7)),
    (6, "P3", event("product_added", product_id="P3", product_name="Lamp", quantity=1)),
    (7, "P3", event("product_removed", product_id="P3")),
    (8, "P3", event("product_removed", product_id="P1")),
]


def test_rows_outcomes_and_rejected_records_follow_from_the_events() -> None:
    expected = expect({}, RECORDS, IGNORE)
    assert expected.rows == {"P1": Row("P1", "Phone", 7, "N/A", 5)}
    assert expected.outcomes == {
        Outcome.APPLIED: 4,
        Outcome.REJECTED: 3,
        Outcome.NOT_FOUND: 1,
    }
    assert expected.rejected == {2, 4, 8}


@given(st.permutations(RECORDS))
def test_the_order_in_which_the_records_are_given_does_not_matter(
    records: list[tuple[int, str, bytes]],
) -> None:
    assert expect({}, records, IGNORE) == expect({}, RECORDS, IGNORE)


def test_what_a_product_had_seen_before_it_was_removed_is_part_of_it() -> None:
    data = json.dumps(json.loads(RECORDS[0][2]) | {"event_id": "E1"}).encode()
    removals = {"P1": Removal(1, ("E1", "E2"))}
    expected = expect({}, [(7, "P1", data)], IGNORE, removals)
    assert (expected.rows, expected.outcomes) == ({}, {Outcome.DUPLICATE: 1})


def test_rows_that_were_there_before_are_part_of_it() -> None:
    before = {"P2": Row("P2", "Tablet", 3, "N/A", 0), "P9": Row("P9", "Charger", 1, "N/A", 0)}
    expected = expect(before, RECORDS, IGNORE)
    assert set(expected.rows) == {"P1", "P9"}
    assert expected.outcomes[Outcome.NOT_FOUND] == 0
