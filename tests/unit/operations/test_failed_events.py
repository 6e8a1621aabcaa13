"""How failed events are named, chosen and shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.event import parse
from inventory.stock import Row
from operations.redrive.failed_event import FailedEvent, Origin, choose, marked, origin_of, unknown
from operations.redrive.plan import plan
from operations.redrive.text import decision_line, event_document, event_lines

PLAIN = FailedEvent(
    Origin.REJECTED,
    "shardId-000000000012",
    49_590,
    1_700_000_000.5,
    "product.quantity must be a number",
    None,
    "P1",
    b'{"event_type": "product_removed", "product": {"product_id": "P1"}}',
)


def test_a_name_is_the_number_of_the_shard_and_the_sequence_number() -> None:
    assert PLAIN.name == "12-49590"
    assert replace(PLAIN, shard_id="shardId-000000000000").name == "0-49590"


@pytest.mark.parametrize("unfit", [None, "", "x" * 129, "\ud800"])
def test_an_event_without_an_id_that_the_contract_takes_gets_one_of_its_place(
    unfit: str | None,
) -> None:
    assert replace(PLAIN, event_id=unfit).redrive_id == "redrive-shardId-000000000012-49590"
    assert replace(PLAIN, event_id="01J").redrive_id == "01J"


NUMBERS = st.integers(0, 10**37).map(str) | st.integers(0, 10**36).map(lambda n: f"{n}.0")


@given(NUMBERS)
def test_what_an_event_says_is_the_same_under_another_id(number: str) -> None:
    product = f'{{"product_id": "Pé", "product_name": "N", "quantity": {number}}}'
    payload = f'{{"event_type": "product_added", "product": {product}}}'.encode()
    again = marked("E1", ("shard", 3), payload)
    carried = parse(again, 7)
    assert carried.event_id == "E1"
    assert replace(carried, event_id=None) == parse(payload, 7)
    assert origin_of(again) == ("shard", 3)
    assert origin_of(marked("E1", ("shard", 12), again)) == ("shard", 12)


def test_what_goes_back_a_second_time_is_the_same_text_with_another_place() -> None:
    payload = '{"event_id":"\\u0045é", "product":{"product_id":"Pé","n":1.0},"n":1e3}'
    first = marked("Eé", ("shardId-1", 3), payload.encode())
    assert marked("Eé", ("shardId-1", 3), first) == first
    second = marked("Eé", ("shardId-1", 12), first)
    assert second.decode() == first.decode().replace(
        '"sequence_number": 3', '"sequence_number": 12'
    )
    assert first.decode().startswith(payload.removesuffix("}"))


@given(st.binary() | st.sampled_from([b'"redriven_from"', b'{"redriven_from": {"shard_id": 1}}']))
def test_no_other_record_says_that_it_is_redriven(payload: bytes) -> None:
    assert origin_of(payload) is None


def test_events_are_chosen_by_every_given_criterion() -> None:
    other = replace(PLAIN, sequence_number=7, product_id="P2", reason="RetryAttemptsExhausted")
    items = [PLAIN, other]
    assert choose(items) == items
    assert choose(items, names=["12-7"]) == [other]
    assert choose(items, product_id="P1") == [PLAIN]
    assert choose(items, reason="retryattempts") == [other]
    assert choose(items, names=["12-7"], product_id="P1") == []
    assert unknown(["12-7", "0-1"], items) == ["0-1"]


def test_a_list_for_people_escapes_and_bounds_what_is_in_events() -> None:
    evil = replace(
        PLAIN, product_id="\x1b[2J", reason="bad\nline", payload=b"\x1b]0;\xff" + b"y" * 5000
    )
    text = "\n".join(event_lines(evil))
    assert text.count("\n") == 2
    assert "\x1b" not in text
    assert len(text) < 500
    assert "5005 bytes" in text
    assert "2023-11-14 22:13:20 UTC" in text


def test_the_list_for_programs_has_the_whole() -> None:
    document = json.loads(json.dumps(event_document(PLAIN)))
    assert document["id"] == "12-49590"
    assert document["payload"].encode() == PLAIN.payload
    assert document["sequence_number"] == "49590"
    binary = event_document(replace(PLAIN, payload=b"\xff"))
    assert (binary["payload"], binary["payload_encoding"]) == ("/w==", "base64")
    lost = event_document(replace(PLAIN, payload=None, lost="expired"))
    assert (lost["payload"], lost["lost"]) == (None, "expired")


def test_a_decision_says_what_would_change() -> None:
    row = Row("P1", "Phone", 5, "N/A", 3)
    (removal,) = plan([PLAIN], {"P1": row})
    assert decision_line(removal) == "12-49590  P1  applied: the row is removed"
    (late,) = plan([PLAIN], {"P1": replace(row, sequence_number=10**9)})
    assert "superseded" in decision_line(late)
    assert "--force" in decision_line(late)
    product = b'{"product_id": "P1", "quantity": 9}'
    moved = b'{"event_type": "product_quantity_changed", "product": %b}' % product
    (change,) = plan([replace(PLAIN, payload=moved)], {"P1": row})
    assert decision_line(change).endswith("applied: quantity 5 → 9")
    (broken,) = plan([replace(PLAIN, payload=b"{")], {})
    assert "not JSON" in decision_line(broken)
    assert "--edit" in decision_line(broken)
