"""Hypothesis strategies for one shard's events."""

from __future__ import annotations

from hypothesis import strategies as st

from inventory.event import Event, ProductAdded, ProductRemoved, QuantityMoved, QuantitySet

PRODUCTS = ("P1", "P2", "P3")
NAMES = ("Laptop", "Phone")


@st.composite
def streams(draw: st.DrawFn, products: tuple[str, ...] = PRODUCTS) -> list[Event]:
    """A stream in order: sequence numbers grow, ids are unique, absent, or one that came before."""
    events: list[Event] = []
    for number in range(1, draw(st.integers(1, 20)) + 1):
        product_id = draw(st.sampled_from(products))
        used = [e for e in events if e.event_id is not None and e.product_id == product_id]
        if used and draw(st.integers(0, 4)) == 0:
            events.append(with_sequence_number(draw(st.sampled_from(used)), number))
        else:
            event_id = draw(st.sampled_from([None, f"e{number}"]))
            events.append(draw(event_of(product_id, number, event_id)))
    return events


@st.composite
def event_of(draw: st.DrawFn, product_id: str, number: int, event_id: str | None) -> Event:
    match draw(st.integers(0, 3)):
        case 0:
            name, quantity = draw(st.sampled_from(NAMES)), draw(st.integers(0, 50))
            return ProductAdded(product_id, number, event_id, name, quantity, "N/A")
        case 1:
            named = draw(st.sampled_from([None, 5, *NAMES]))
            return ProductRemoved(product_id, number, event_id, named)
        case 2:
            return QuantitySet(product_id, number, event_id, draw(st.integers(0, 50)))
        case _:
            return QuantityMoved(product_id, number, event_id, draw(st.integers(-50, 50)))


def with_sequence_number(event: Event, number: int) -> Event:
    """The same event, put on the stream once more."""
    fields = {name: getattr(event, name) for name in event.__match_args__}
    return type(event)(**fields | {"sequence_number": number})
