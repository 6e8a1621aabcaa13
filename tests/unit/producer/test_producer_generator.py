from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from itertools import islice
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.broken import WAYS
from inventory_aws.event import EVENT_TYPES, Event
from pages import ROOT
from producer.generator import PRODUCT_NAMES, KnownProducts, Mix, Spec, events

SCHEMA = ROOT / "libs/inventory/inventory/inventory_event.schema.json"

mixes = st.builds(Mix, *[st.integers(1, 10)] * 3)
specs = st.builds(
    Spec,
    seed=st.none() | st.integers(),
    products=st.integers(1, 20_000),
    mix=mixes,
    invalid_share=st.floats(0, 1),
)
validate = fastjsonschema.compile(json.loads(SCHEMA.read_text()))


def some(spec: Spec, count: int = 50) -> list[Event]:
    return list(islice(events(spec), count))


def valid_documents(spec: Spec, count: int = 50) -> list[dict[str, Any]]:
    return [json.loads(event.payload) for event in some(spec, count) if not event.invalid]


def accepted_by_the_contract(payload: bytes) -> bool:
    try:
        validate(json.loads(payload))
    except (ValueError, fastjsonschema.JsonSchemaValueException):
        return False
    return True


@given(spec=specs.filter(lambda spec: spec.seed is not None))
def test_the_same_seed_gives_the_same_events(spec: Spec) -> None:
    assert some(spec) == some(spec)


def test_the_events_of_a_seed_are_the_same_in_every_version() -> None:
    first, second = some(Spec(seed=1), 2)
    assert first.payload == (
        b'{"event_type":"product_added","event_id":"01FR9EZ7007JRECRMN4CYRTVW0","product":'
        b'{"product_id":"P7100","product_name":"Headphones","quantity":19,'
        b'"timestamp":"2022-04-01 21:42:24"}}'
    )
    assert second.event_id == "01FR9EZ701F8KE6W016X9Q72WF"


def test_other_seeds_give_other_events() -> None:
    runs = [frozenset(event.payload for event in some(Spec(seed=seed))) for seed in (-1, 0, 1)]
    assert not runs[0] & runs[1] | runs[1] & runs[2] | runs[0] & runs[2]


def test_without_a_seed_no_two_runs_share_an_id() -> None:
    ids = [event.event_id for _ in range(3) for event in some(Spec(), 500)]
    assert len(set(ids)) == len(ids)


@given(spec=specs)
def test_ids_are_unique_and_sorted_within_a_run(spec: Spec) -> None:
    ids = [event.event_id for event in some(spec) if event.event_id]
    assert ids == sorted(set(ids))


@given(spec=specs)
def test_products_quantities_and_timestamps_are_those_of_the_original(spec: Spec) -> None:
    for document in valid_documents(spec):
        product = document["product"]
        assert 1 <= int(product["product_id"].removeprefix("P")) <= spec.products
        assert product["product_name"] in PRODUCT_NAMES
        assert 1 <= abs(product.get("quantity", product.get("quantity_change"))) <= 50
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", product["timestamp"])
        assert datetime.fromisoformat(product["timestamp"]).year in (2022, 2023)


def test_all_of_the_ranges_is_used() -> None:
    documents = valid_documents(Spec(seed=1, products=500), 10_000)
    products = [document["product"] for document in documents]
    assert {p["product_id"] for p in products} == {f"P{n}" for n in range(1, 501)}
    assert {p["product_name"] for p in products} == set(PRODUCT_NAMES)
    assert {p["quantity"] for p in products if "quantity" in p} == set(range(1, 51))
    assert {p["quantity_change"] for p in products if "quantity_change" in p} == {
        *range(-50, 0),
        *range(1, 51),
    }
    assert {p["timestamp"][:7] for p in products} == {
        f"{year}-{month:02}" for year in (2022, 2023) for month in range(1, 13)
    }


def test_the_mix_gives_each_type_its_share() -> None:
    counts = Counter(event.kind for event in some(Spec(seed=1, mix=Mix(6, 1, 3)), 20_000))
    shares = {kind: count / 20_000 for kind, count in counts.items()}
    assert shares == pytest.approx(
        {"product_added": 0.6, "product_removed": 0.1, "product_quantity_changed": 0.3}, abs=0.02
    )


shares = st.just(0.0) | st.floats(1e-6, 1e6)


@given(mix=st.tuples(shares, shares, shares).filter(any), seed=st.integers())
def test_a_type_without_a_share_never_occurs(mix: tuple[float, float, float], seed: int) -> None:
    kinds = {event.kind for event in some(Spec(seed, mix=Mix(*mix)))}
    assert all(mix[EVENT_TYPES.index(kind)] > 0 for kind in kinds)


@given(seed=st.integers())
def test_few_removals_and_changes_are_about_products_that_do_not_exist(seed: int) -> None:
    exist: set[str] = set()
    not_found = 0
    for event in some(Spec(seed), 300):
        if event.kind == "product_added":
            exist.add(event.partition_key)
        elif event.partition_key not in exist:
            not_found += 1
        elif event.kind == "product_removed":
            exist.discard(event.partition_key)
    assert not_found / 300 < 0.06
    assert exist


def test_some_removals_and_changes_are_about_products_that_do_not_exist() -> None:
    added: set[str] = set()
    strays = 0
    for event in some(Spec(seed=1), 5000):
        if event.kind == "product_added":
            added.add(event.partition_key)
        strays += event.partition_key not in added
    assert 0 < strays / 5000 < 0.03


def test_of_very_many_products_a_bounded_number_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("producer.generator.MOST_KNOWN", 10)
    known = KnownProducts()
    for number in range(1000):
        known.add(f"P{number}")
        known.discard("P3")
    assert len(known.ids) == 10
    assert "P3" not in known.ids


def test_a_quantity_changes_to_a_level_or_by_a_difference_in_equal_parts() -> None:
    documents = valid_documents(Spec(seed=1, mix=Mix(0, 0, 1)), 4000)
    forms = Counter("quantity" in document["product"] for document in documents)
    assert forms[True] / 4000 == pytest.approx(0.5, abs=0.05)


@given(spec=specs)
def test_the_partition_key_is_the_product_and_the_fields_are_those_of_the_payload(
    spec: Spec,
) -> None:
    for event in some(spec):
        if not event.invalid:
            document = json.loads(event.payload)
            assert event.partition_key == document["product"]["product_id"]
            assert event.event_id == document["event_id"]
            assert event.kind == document["event_type"]


@given(spec=specs)
def test_valid_events_satisfy_the_contract_and_invalid_ones_do_not(spec: Spec) -> None:
    for event in some(spec):
        assert accepted_by_the_contract(event.payload) is not event.invalid


def test_the_invalid_share_is_broken_in_every_way() -> None:
    broken = [event for event in some(Spec(seed=1, invalid_share=0.2), 20_000) if event.invalid]
    assert len(broken) / 20_000 == pytest.approx(0.2, abs=0.02)
    assert {event.kind for event in broken} == set(WAYS)
    assert all(event.partition_key.startswith("P") for event in broken)
