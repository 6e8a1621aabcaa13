"""The table in memory refuses what DynamoDB refuses, and the function's own store copes with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bench.function_cost import TABLES
from bench.simulation.model import CancelledError, Clock, Table
from bench.simulation.pipe import Rounds

from inventory.stock import Removal, Row
from processor.calls import Deadline, Unavailable
from processor.store import Store
from processor.writes import Change, ProductState


def table(clock: Clock, units: float = 1e9, key: float = 1_000) -> Table:
    return Table(clock, lambda now: units, key_quota=key)


def store(table: Table, clock: Clock, seconds: float) -> Store:
    client: Any = table
    deadline = Deadline(clock.now + seconds, clock, clock.sleep, lambda: 0.0)
    return Store(client, TABLES, ThreadPoolExecutor(1), deadline, clock)


def added(product: str, number: int) -> Change:
    return Change(product, ProductState(), Row(product, "Tablet", 1, "N/A", number))


def removed(product: str, before: int, number: int) -> Change:
    row = Row(product, "Tablet", 1, "N/A", before)
    return Change(product, ProductState(row), Removal(number))


def test_a_row_is_written_read_and_removed() -> None:
    clock = Clock()
    kept = table(clock)
    rows = store(kept, clock, 10)

    assert rows.write([added("P1", 5)]) == {}
    row = Row("P1", "Tablet", 1, "N/A", 5)
    assert rows.read(["P1", "P2"]) == {"P1": ProductState(row), "P2": ProductState()}
    assert rows.write([removed("P1", 5, 6)]) == {}
    assert rows.read(["P1"]) == {"P1": ProductState(None, Removal(6))}
    # The marker of the removal guards what has no row.
    assert rows.write([added("P1", 4)]) == {"P1": ProductState(None, Removal(6))}


def test_a_row_that_has_changed_since_it_was_read_is_a_conflict() -> None:
    clock = Clock()
    rows = store(table(clock), clock, 10)
    rows.write([added("P1", 5)])

    assert rows.write([added("P1", 7)]) == {"P1": ProductState(Row("P1", "Tablet", 1, "N/A", 5))}


def test_what_is_above_the_table_s_units_waits_for_the_next_second() -> None:
    clock = Clock()
    kept = table(clock, units=4)  # a new row takes two items of two units

    begun = clock.now
    rows = store(kept, clock, 10)
    assert [rows.write([added(f"P{n}", 1)]) for n in range(2)] == [{}, {}]

    assert clock.now - begun >= 1
    assert kept.throttled["table"] > 0
    assert max(kept.busiest.values()) == 4


def test_a_product_above_the_units_of_a_key_is_told_from_the_others() -> None:
    clock = Clock()
    kept = table(clock, key=1)

    assert store(kept, clock, 0.01).write([added("P1", 1)]) == {
        "P1": Unavailable("ThrottlingError")
    }
    assert kept.throttled["key"] == 2  # the row's, and that of its marker


def test_a_condition_that_is_not_known_is_no_success() -> None:
    clock = Clock()
    request = {"TableName": "rows", "Key": {"product_id": {"S": "P1"}}, "ConditionExpression": "?"}

    with pytest.raises(NotImplementedError):
        table(clock).transact_write_items(TransactItems=[{"Delete": request}])


def test_one_condition_that_fails_keeps_the_whole_transaction_back() -> None:
    clock = Clock()
    kept = table(clock)
    rows = store(kept, clock, 10)
    rows.write([added("P1", 5)])
    requests = [
        {
            "Put": {
                "TableName": "rows",
                "Item": {"product_id": {"S": product}},
                "ConditionExpression": "attribute_not_exists(sequence_number)",
            }
        }
        for product in ("P2", "P1")
    ]

    with pytest.raises(CancelledError) as caught:
        kept.transact_write_items(TransactItems=requests)

    answer: Any = caught.value.response
    codes = [reason["Code"] for reason in answer["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed"]
    assert kept.item(("rows", "P2")) is None


def test_four_calls_take_as_long_as_the_slowest_of_them() -> None:
    clock = Clock()
    begun = clock.now

    Rounds(clock).map(clock.sleep, [1.0, 3.0, 2.0, 1.0, 0.5])

    assert clock.now - begun == 3.5
