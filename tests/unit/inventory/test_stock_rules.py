"""What an event does to a row, and that it does it once."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_streams import streams, with_sequence_number
from inventory.event import (
    MAX_LEVEL,
    Event,
    ProductAdded,
    ProductRemoved,
    QuantityMoved,
    QuantitySet,
)
from inventory.stock import (
    RECENT_EVENT_IDS,
    Outcome,
    Removal,
    RemovalNamePolicy,
    Row,
    Step,
    apply,
    fold,
)

ROW = Row("P1", "Tablet", 10, "2023-01-01 00:00:00", sequence_number=5, recent_event_ids=("e5",))
POLICIES = st.sampled_from(list(RemovalNamePolicy))


def added(number: int = 6, event_id: str | None = "e6") -> ProductAdded:
    return ProductAdded("P1", number, event_id, "Phone", 3, "N/A")


def test_an_added_product_is_a_row_with_exactly_its_values() -> None:
    assert apply(None, added()).row == Row("P1", "Phone", 3, "N/A", 6, ("e6",))


def test_an_added_product_overwrites_the_row_and_keeps_the_ids_it_remembers() -> None:
    step = apply(ROW, added())
    assert step.outcome is Outcome.APPLIED
    assert step.row == Row("P1", "Phone", 3, "N/A", 6, ("e5", "e6"))


def test_a_removal_deletes_the_row_whatever_name_it_gives() -> None:
    step = apply(ROW, ProductRemoved("P1", 6, None, "Charger"))
    assert (step.outcome, step.row) == (Outcome.APPLIED, None)
    assert step.removed == Removal(6, ("e5",))


@pytest.mark.parametrize(("name", "removed"), [("Tablet", True), (None, True), ("Charger", False)])
def test_an_enforced_name_must_be_that_of_the_row_if_it_is_given(name: str, removed: bool) -> None:
    step = apply(ROW, ProductRemoved("P1", 6, None, name), RemovalNamePolicy.ENFORCE)
    assert (step.row is None) is removed
    assert step.outcome is (Outcome.APPLIED if removed else Outcome.REJECTED)
    assert step.reason == (None if removed else "product.product_name is not that of the row")
    assert step.code == (None if removed else "product.product_name.differs")


@pytest.mark.parametrize(
    "event",
    [
        ProductRemoved("P1", 6, None, None),
        QuantitySet("P1", 6, None, 5),
        QuantityMoved("P1", 6, None, 5),
    ],
)
def test_what_is_not_there_is_not_found_and_nothing_changes(event: Event) -> None:
    step = apply(None, event)
    assert (step.outcome, step.row) == (Outcome.NOT_FOUND, None)


def test_a_change_sets_the_level_or_moves_it_and_nothing_else() -> None:
    assert apply(ROW, QuantitySet("P1", 6, None, 3)).row == dataclasses.replace(
        ROW, quantity=3, sequence_number=6
    )
    assert apply(ROW, QuantityMoved("P1", 6, None, -10)).row == dataclasses.replace(
        ROW, quantity=0, sequence_number=6
    )


def test_a_level_below_zero_or_beyond_the_table_is_rejected_and_the_row_stays() -> None:
    for change, reason, kind in (
        (-11, "below zero", "below_zero"),
        (MAX_LEVEL, "above 38 digits", "too_high"),
    ):
        step = apply(ROW, QuantityMoved("P1", 6, "e6", change))
        assert (step.outcome, step.row) == (Outcome.REJECTED, ROW)
        assert reason in (step.reason or "")
        assert step.code == f"product.quantity_change.{kind}"


def test_an_event_that_is_not_newer_than_the_row_is_a_duplicate() -> None:
    for number in (5, 4):
        step = apply(ROW, added(number, "other"))
        assert (step.outcome, step.row) == (Outcome.DUPLICATE, ROW)


def test_an_event_id_that_the_row_remembers_is_a_duplicate_though_it_is_newer() -> None:
    step = apply(ROW, added(6, "e5"))
    assert (step.outcome, step.row) == (Outcome.DUPLICATE, ROW)


def test_an_event_that_a_removed_row_had_seen_is_a_duplicate() -> None:
    marker = Removal(7, ("e5", "e6"))
    for old in (added(9, "e5"), added(7, "e7"), QuantityMoved("P1", 9, "e6", 1)):
        assert apply(None, old, removed=marker) == Step(Outcome.DUPLICATE, None)
    assert apply(None, QuantityMoved("P1", 8, "e8", 1), removed=marker).outcome is Outcome.NOT_FOUND
    step = apply(None, added(8, "e8"), removed=marker)
    assert step == Step(Outcome.APPLIED, Row("P1", "Phone", 3, "N/A", 8, ("e5", "e6", "e8")))


def test_a_row_that_is_there_again_has_taken_over_what_the_marker_knew() -> None:
    assert apply(ROW, added(6, "e4"), removed=Removal(3, ("e4",))).outcome is Outcome.APPLIED


def test_a_row_that_something_else_wrote_takes_any_event() -> None:
    foreign = Row("P1", "Tablet", 10, "N/A")
    assert apply(foreign, QuantityMoved("P1", 0, None, 1)).outcome is Outcome.APPLIED


def test_a_row_remembers_a_bounded_number_of_ids_the_latest() -> None:
    events = [added(n, f"e{n}") for n in range(1, 2 * RECENT_EVENT_IDS)]
    row = fold(None, events)[-1].row
    assert row is not None
    assert row.recent_event_ids == tuple(e.event_id for e in events[-RECENT_EVENT_IDS:])


@given(streams(("P1",)), POLICIES, st.data())
def test_delivering_again_from_any_checkpoint_to_the_present_changes_nothing(
    events: list[Event], names: RemovalNamePolicy, data: st.DataObject
) -> None:
    present = data.draw(st.integers(1, len(events)))
    checkpoint = data.draw(st.integers(0, present))
    before = fold(None, events[:present], names)[-1].row
    again = fold(before, events[checkpoint:present], names)
    assert (again[-1].row if again else before) == before


@given(streams(("P1",)), POLICIES, st.data())
def test_an_event_delivered_twice_in_a_row_changes_nothing_the_second_time(
    events: list[Event], names: RemovalNamePolicy, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(events) - 1))
    twice = [*events[: at + 1], *events[at:]]
    assert fold(None, twice, names)[-1].row == fold(None, events, names)[-1].row


@given(streams(("P1",)), POLICIES, st.data())
def test_an_event_applied_before_changes_nothing_also_after_a_removal(
    events: list[Event], names: RemovalNamePolicy, data: st.DataObject
) -> None:
    steps = fold(None, events, names)
    applied = [e for e, step in zip(events, steps, strict=True) if step.outcome is Outcome.APPLIED]
    if known := [event for event in applied if event.event_id][-RECENT_EVENT_IDS:]:
        again = with_sequence_number(data.draw(st.sampled_from(known)), len(events) + 1)
        outcomes = [step.outcome for step in fold(None, [*events, again], names)]
        assert outcomes[-1] is Outcome.DUPLICATE


@given(streams(("P1",)), POLICIES)
def test_only_an_applied_event_touches_the_row(
    events: list[Event], names: RemovalNamePolicy
) -> None:
    row = None
    for event in events:
        step = apply(row, event, names)
        assert (step.row == row) is (step.outcome is not Outcome.APPLIED)
        assert (step.reason is not None) is (step.outcome is Outcome.REJECTED)
        assert (step.code is not None) is (step.outcome is Outcome.REJECTED)
        row = step.row
