from __future__ import annotations

import pytest

from dashboard.controls.events import POISONS, TYPES, event_of, poison, problem
from inventory.event import InvalidEventError, ProductAdded, QuantityMoved, parse


def test_a_filled_in_form_makes_its_event() -> None:
    fields = {"product_id": " P1 ", "product_name": "Lamp", "quantity": "7", "timestamp": ""}
    event = parse(event_of("product_added", fields, "id-1"), 1)
    assert event == ProductAdded("P1", 1, "id-1", "Lamp", 7, "N/A")
    change = event_of(
        "product_quantity_changed", {"product_id": "P1", "quantity_change": "-2"}, "x"
    )
    assert parse(change, 1) == QuantityMoved("P1", 1, "x", -2)


def test_fields_of_another_type_are_left_out() -> None:
    fields = {"product_id": "P1", "quantity": "many"}
    assert b"many" not in event_of("product_removed", fields, "id-1")


@pytest.mark.parametrize("kind", list(TYPES))
def test_an_empty_form_shows_what_is_missing(kind: str) -> None:
    assert (problem(kind, {}) or "").startswith("product")


@pytest.mark.parametrize("way", POISONS)
def test_every_poison_event_is_invalid(way: str) -> None:
    with pytest.raises(InvalidEventError):
        parse(poison(way, "P1", "id-1"), 1)
