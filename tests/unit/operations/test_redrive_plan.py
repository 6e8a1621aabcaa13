"""What is decided about each failed event, and that it can be done again after any interruption."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.event import claims, parse
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, apply
from inventory_aws.outbox import Event
from operations.redrive.failed_event import FailedEvent, Origin
from operations.redrive.plan import (
    Action,
    Decision,
    Effect,
    EventMessage,
    carry_out,
    concerned,
    plan,
    staying,
)

SHARD = "shardId-000000000000"


def event(event_type: str, event_id: str | None = None, **product: object) -> bytes:
    document: dict[str, object] = {"event_type": event_type, "product": product}
    return json.dumps(document | ({"event_id": event_id} if event_id else {})).encode()


def item(payload: bytes | None, number: int = 5, lost: str | None = None) -> FailedEvent:
    event_id, product_id = (None, None) if payload is None else claims(payload)
    return FailedEvent(
        Origin.REJECTED, SHARD, number, 0.0, "bad", event_id, product_id, payload, lost=lost
    )


def moved(change: int, event_id: str | None = None) -> bytes:
    return event("product_quantity_changed", event_id, product_id="P1", quantity_change=change)


def row(quantity: int = 10, number: int = 3, *recent: str) -> dict[str, Row | None]:
    return {"P1": Row("P1", "Phone", quantity, "N/A", number, recent)}


def only(
    items: Sequence[FailedEvent], rows: Mapping[str, Row | None], force: bool = False
) -> Decision:
    (decision,) = plan(items, rows, force=force)
    return decision


def test_an_event_that_would_be_applied_is_sent_under_an_id_made_of_its_place() -> None:
    decision = only([item(moved(-4))], row(10))
    assert (decision.action, decision.effect) == (Action.SEND, Effect.APPLIED)
    assert decision.record is not None
    assert decision.record.partition_key == "P1"
    assert json.loads(decision.record.payload)["event_id"] == f"redrive-{SHARD}-5"
    assert decision.after is not None
    assert decision.after.quantity == 6


def test_an_event_with_an_id_is_sent_as_written_with_the_place_where_it_failed() -> None:
    payload = b' {"event_id": "E1" ,"event_type":"product_removed","product":{"product_id":"P1"}} '
    decision = only([item(payload)], row())
    assert decision.record is not None
    sent = decision.record.payload
    assert sent.startswith(payload.rstrip().removesuffix(b"}"))
    assert json.loads(sent) == json.loads(payload) | {
        "redriven_from": {"shard_id": decision.event.shard_id, "sequence_number": 5}
    }
    assert decision.record.event_id == "E1"


def test_an_event_older_than_its_row_stays_unless_forced() -> None:
    decision = only([item(moved(-4))], row(10, 6))
    assert (decision.action, decision.effect) == (Action.LEAVE, Effect.SUPERSEDED)
    decision = only([item(moved(-4))], row(10, 6), force=True)
    assert (decision.action, decision.effect) == (Action.SEND, Effect.APPLIED)


NEWER = "the product has newer events"


@pytest.mark.parametrize(
    ("payload", "rows", "said"),
    [
        (moved(-4), row(10, 6), NEWER),
        (
            event("product_added", product_id="P1", product_name="N", quantity=7),
            row(10, 6),
            NEWER,
        ),
        (event("product_removed", product_id="P1"), row(10, 6), NEWER),
        (
            event("product_quantity_changed", product_id="P1", quantity=7),
            row(10, 6),
            NEWER,
        ),
        (event("product_quantity_changed", product_id="P1", quantity=7), row(10, 3), None),
    ],
)
def test_a_forced_event_says_that_its_product_has_newer_events(
    payload: bytes, rows: Mapping[str, Row | None], said: str | None
) -> None:
    assert only([item(payload)], rows, force=True).reason == said


def astray(payload: bytes, number: int = 5) -> FailedEvent:
    """Its record had another partition key, so it may have been in any shard."""
    return replace(item(payload, number), ordered=False)


@pytest.mark.parametrize("number", [2, 9])  # than the row's 3
@pytest.mark.parametrize("rows", [row(10, 3), {"P1": None}])
def test_without_an_order_an_event_overwrites_nothing_unless_forced(
    rows: Mapping[str, Row | None], number: int
) -> None:
    removals = {} if rows["P1"] else {"P1": Removal(3)}
    added = event("product_added", product_id="P1", product_name="Old", quantity=7)
    (kept,) = plan([astray(added, number)], rows, removals=removals)
    assert (kept.action, kept.effect) == (Action.LEAVE, Effect.UNORDERED)
    (sent,) = plan([astray(added, number)], rows, removals=removals, force=True)
    assert (sent.action, sent.effect) == (Action.SEND, Effect.APPLIED)
    assert "may have newer events" in str(sent.reason)


def test_without_an_order_a_change_by_an_amount_is_sent_as_is_a_first_event() -> None:
    assert only([astray(moved(-4))], row(10, 9)).action is Action.SEND
    added = event("product_added", product_id="P1", product_name="New", quantity=7)
    assert only([astray(added)], {"P1": None}).action is Action.SEND


def test_an_event_that_would_only_be_rejected_again_stays_even_if_forced() -> None:
    for payload in (moved(-40), b"{", b"[1]", b"\xff", event("restocked", product_id="P1")):
        decision = only([item(payload)], row(), force=True)
        assert (decision.action, decision.effect) == (Action.LEAVE, Effect.REJECTED)
        assert decision.reason


def test_an_event_whose_product_is_gone_is_not_found_and_may_be_sent() -> None:
    decision = only([item(moved(-4))], {"P1": None})
    assert (decision.action, decision.effect) == (Action.SEND, Effect.NOT_FOUND)


def test_an_event_that_the_row_remembers_leaves_its_queue() -> None:
    for rows in (row(10, 9, f"redrive-{SHARD}-5"), row(10, 5)):
        decision = only([item(moved(-4))], rows)
        assert (decision.action, decision.effect) == (Action.REMOVE, Effect.ALREADY_APPLIED)
        assert decision.record is None


def test_a_lost_payload_stays_and_says_why() -> None:
    decision = only([item(None, lost="no longer on the stream")], {})
    assert (decision.action, decision.effect) == (Action.LEAVE, Effect.LOST)
    assert decision.reason == "no longer on the stream"


def test_events_of_a_product_are_folded_one_onto_the_other() -> None:
    decisions = plan([item(moved(-8), 6), item(moved(-4), 5)], row(10))
    assert [d.event.sequence_number for d in decisions] == [5, 6]
    assert [d.effect for d in decisions] == [Effect.APPLIED, Effect.REJECTED]


def test_a_redrive_interrupted_between_two_events_continues_with_the_second() -> None:
    items = [item(moved(-1), 5), item(moved(-2), 6)]
    decisions = plan(items, row(9, 100, f"redrive-{SHARD}-5"))
    assert [d.action for d in decisions] == [Action.REMOVE, Action.SEND]


def test_an_event_too_large_to_carry_an_id_stays() -> None:
    payload = event("product_removed", product_id="P1", note="x" * (1024 * 1024 - 100))
    assert only([item(payload)], row()).effect is Effect.REJECTED


def test_a_removal_that_names_another_product_is_judged_by_the_policy() -> None:
    removal = item(event("product_removed", product_id="P1", product_name="Lamp"))
    (decision,) = plan([removal], row(), RemovalNamePolicy.ENFORCE)
    assert decision.effect is Effect.REJECTED


PRODUCTS = st.sampled_from(["P1", "P2", "P3"])
EVENT_IDS = st.none() | st.sampled_from(["A", "B", "C", "D"])
PAYLOADS = st.one_of(
    st.builds(
        lambda p, e, q: event("product_added", e, product_id=p, product_name="N", quantity=q),
        PRODUCTS,
        EVENT_IDS,
        st.integers(0, 9),
    ),
    st.builds(lambda p, e: event("product_removed", e, product_id=p), PRODUCTS, EVENT_IDS),
    st.builds(
        lambda p, e, c: event("product_quantity_changed", e, product_id=p, quantity_change=c),
        PRODUCTS,
        EVENT_IDS,
        st.integers(-9, 9),
    ),
    st.sampled_from([b"{", b"[]", b"null", b'{"event_type": "restocked"}']),
)
ITEMS = st.lists(
    st.builds(item, PAYLOADS, st.integers(1, 40)), unique_by=lambda i: i.sequence_number
)
ROWS = st.fixed_dictionaries(
    {
        p: st.none() | st.builds(Row, st.just(p), st.just("N"), st.integers(0, 9), st.just("N/A"),
                                 st.integers(1, 40))
        for p in ("P1", "P2", "P3")
    }
)  # fmt: skip


@given(ITEMS, ROWS, st.booleans())
def test_each_event_has_one_decision_in_the_order_of_the_stream(
    items: list[FailedEvent], rows: dict[str, Row | None], force: bool
) -> None:
    decisions = plan(items, rows, force=force)
    assert [d.event for d in decisions] == sorted(items, key=lambda i: i.sequence_number)
    assert all((d.record is not None) == (d.action is Action.SEND) for d in decisions)


@given(ITEMS, ROWS)
def test_nothing_older_than_its_row_is_sent_unless_forced(
    items: list[FailedEvent], rows: dict[str, Row | None]
) -> None:
    for decision in plan(items, rows):
        if decision.record is not None:
            present = rows[decision.record.partition_key]
            newest = (present and present.sequence_number) or 0
            assert newest < decision.event.sequence_number


@given(ITEMS, ROWS, st.booleans())
def test_what_is_sent_does_what_was_shown(
    items: list[FailedEvent], rows: dict[str, Row | None], force: bool
) -> None:
    stream = Stream(rows)
    for decision in plan(items, rows, force=force):
        if decision.record is not None:
            outcome = stream.put(decision.record)
            shown = {Effect.APPLIED: Outcome.APPLIED, Effect.NOT_FOUND: Outcome.NOT_FOUND}
            assert outcome is shown[decision.effect]


class Stream:
    """The end of the stream, with the function behind it."""

    def __init__(self, rows: Mapping[str, Row | None]) -> None:
        self.rows = dict(rows)
        self.removals: dict[str, Removal] = {}
        self.number = 1000

    def put(self, record: Event) -> Outcome:
        self.number += 1
        placed = parse(record.payload, self.number)
        name = placed.product_id
        step = apply(self.rows.get(name), placed, removed=self.removals.get(name))
        self.rows[name] = step.row
        if step.removed is not None:
            self.removals[name] = step.removed
        return step.outcome


REMOVE = event("product_removed", "remove", product_id="P1")
ADD = event("product_added", "add", product_id="P1", product_name="N", quantity=5)


def test_an_event_older_than_a_removal_does_not_bring_the_product_back() -> None:
    removals = {"P1": Removal(6, ("remove",))}
    for payload in (ADD, event("product_added", product_id="P1", product_name="N", quantity=5)):
        (decision,) = plan([item(payload)], {}, removals=removals)
        assert (decision.action, decision.effect) == (Action.LEAVE, Effect.SUPERSEDED)
        (forced,) = plan([item(payload)], {}, removals=removals, force=True)
        assert (forced.action, forced.effect) == (Action.SEND, Effect.APPLIED)
    (later,) = plan([item(ADD, 7)], {}, removals=removals)
    assert (later.action, later.effect) == (Action.SEND, Effect.APPLIED)


@pytest.mark.parametrize("own_id", ["add", None])
def test_an_event_sent_before_its_product_was_removed_leaves_its_queue(
    own_id: str | None,
) -> None:
    payload = event("product_added", own_id, product_id="P1", product_name="N", quantity=5)
    stream = Stream({})
    (decision,) = plan([item(payload)], stream.rows)
    assert decision.record is not None
    assert stream.put(decision.record) is Outcome.APPLIED
    # The run ends here, before the message is deleted.
    stream.put(Event(REMOVE, "P1", "remove", "product_removed"))
    for force in (False, True):
        (again,) = plan([item(payload)], stream.rows, removals=stream.removals, force=force)
        assert (again.action, again.effect) == (Action.REMOVE, Effect.ALREADY_APPLIED)
    assert stream.put(decision.record) is Outcome.DUPLICATE


def test_a_redrive_interrupted_after_a_removal_continues_with_the_next_event() -> None:
    items = [item(REMOVE, 5), item(ADD, 6)]
    stream = Stream(row())
    sent = plan(items, stream.rows)[0].record
    assert sent is not None
    assert stream.put(sent) is Outcome.APPLIED
    decisions = plan(items, stream.rows, removals=stream.removals)
    assert [d.action for d in decisions] == [Action.REMOVE, Action.SEND]


def test_a_removal_that_was_applied_leaves_its_queue() -> None:
    (decision,) = plan([item(REMOVE)], {}, removals={"P1": Removal(5, ())})
    assert decision.action is Action.REMOVE


def test_events_are_planned_onto_the_marker_that_those_before_them_leave() -> None:
    copy = event("product_added", "add", product_id="P1", product_name="N", quantity=9)
    decisions = plan([item(ADD, 5), item(REMOVE, 6), item(copy, 7)], {})
    assert [d.action for d in decisions] == [Action.SEND, Action.SEND, Action.REMOVE]


class PowerCutError(Exception):
    pass


CHANGES = st.lists(st.integers(-5, 5), min_size=1, max_size=8)


@pytest.mark.parametrize("own_ids", [True, False])
@given(CHANGES, st.integers(0, 40), st.data())
def test_interrupted_anywhere_and_run_again_each_change_counts_once(
    own_ids: bool, changes: list[int], cut: int, data: st.DataObject
) -> None:
    rows: dict[str, Row | None] = {p: Row(p, "N", 100, "N/A", 0) for p in ("P1", "P2")}
    items = []
    for number, change in enumerate(changes, start=1):
        product_id = data.draw(st.sampled_from(["P1", "P2"]))
        own = f"E{number}" if own_ids else None
        kind = "product_quantity_changed"
        items.append(item(event(kind, own, product_id=product_id, quantity_change=change), number))
    # Some lie in the queue on their own, some share a dead letter.
    size = data.draw(st.integers(1, 3))
    queue = {
        EventMessage(f"m{start}", frozenset(i.name for i in items[start : start + size]))
        for start in range(0, len(items), size)
    }
    stream = Stream(rows)
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == cut:
            raise PowerCutError

    def put(decision: Decision, record: Event) -> None:
        step()
        stream.put(record)
        step()

    def delete(letter: EventMessage) -> None:
        step()
        queue.remove(letter)
        step()

    for _ in range(2):
        left = [i for i in items if any(i.name in letter.names for letter in queue)]
        decisions = plan(left, stream.rows)
        try:
            carry_out(decisions, sorted(queue, key=lambda m: m.message_id), put, delete)
        except PowerCutError:
            continue
    final = [int(r.quantity) for r in stream.rows.values() if r]
    assert sum(final) == 200 + sum(changes)
    assert not queue


def test_a_message_stays_until_all_that_it_stands_for_is_settled() -> None:
    sent, left = item(moved(1), 5), item(moved(-99), 6)
    decisions = plan([sent, left], row(10))
    both = EventMessage("both", frozenset({sent.name, left.name}))
    one = EventMessage("one", frozenset({sent.name}))
    other = EventMessage("other", frozenset({left.name}))
    deleted: list[EventMessage] = []
    carry_out(decisions, [both, one, other], lambda decision, record: None, deleted.append)
    assert deleted == [one]
    assert concerned(decisions, [both, one, other]) == [both, one]
    assert staying(decisions, [both, one, other]) == [both]


def test_it_can_be_ended_between_two_products_only() -> None:
    payloads = [
        event("product_added", product_id=p, product_name="N", quantity=1)
        for p in ("P1", "P2", "P1")
    ]
    decisions = plan([item(p, n) for n, p in enumerate(payloads, start=5)], {})
    put: list[str] = []

    def check() -> None:
        if put:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        carry_out(
            decisions, [], lambda d, record: put.append(record.partition_key), lambda m: None, check
        )
    assert put == ["P1", "P1"]
