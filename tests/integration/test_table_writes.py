"""Rows on a real table: written under guard, many to a call, and conflicts told apart."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config

from inventory.event import ProductAdded, QuantitySet
from inventory.items import item_of
from inventory.stock import Removal, Row, apply
from processor.calls import Deadline, Unavailable
from processor.store import Store
from processor.writes import Change, ProductState, Tables
from servers import AwsClient

GONE = Removal(6, ("e5", "e6"))
POOL = ThreadPoolExecutor(4)


@pytest.fixture
def store(aws: AwsClient, tables: Tables) -> Store:
    return Store(aws("dynamodb"), tables, POOL, Deadline(math.inf))


def change(before: Row | None, after: Row | Removal, removed: Removal | None = None) -> Change:
    return Change("P1", ProductState(before, removed), after)


def row(product_id: str = "P1", quantity: int = 1, number: int | None = 1) -> Row:
    return Row(product_id, "Tablet", quantity, "N/A", number, ("e1", "e2"))


def created(*rows: Row) -> list[Change]:
    return [Change(r.product_id, ProductState(), r) for r in rows]


def test_a_row_reads_as_it_was_written(store: Store) -> None:
    assert store.write(created(row())) == {}
    assert store.read(["P1", "P2"]) == {"P1": ProductState(row()), "P2": ProductState()}


def test_the_sequence_number_of_an_item_sorts_as_a_text(
    aws: AwsClient, table: str, store: Store
) -> None:
    store.write(created(row("P1", number=9), row("P2", number=10)))
    items = aws("dynamodb").scan(TableName=table)["Items"]
    numbers = {item["product_id"]["S"]: item["sequence_number"]["S"] for item in items}
    assert numbers["P1"] < numbers["P2"]
    assert len(numbers["P1"]) == 56


def test_more_rows_than_one_call_takes_are_written_and_read(store: Store) -> None:
    rows = {f"P{n}": row(f"P{n}") for n in range(250)}
    assert store.write(created(*rows.values())) == {}
    assert store.read(rows) == {name: ProductState(each) for name, each in rows.items()}


def test_a_change_of_another_row_than_was_read_is_a_conflict(
    store: Store,
) -> None:
    store.write(created(row(number=5)))
    stale = change(row(number=4), row(number=6))
    unexpected = change(None, row(number=6))
    removal = change(row(number=4), GONE)
    for each in (stale, unexpected, removal):
        assert store.write([each]) == {"P1": ProductState(row(number=5))}
    assert store.read(["P1"]) == {"P1": ProductState(row(number=5))}


def test_a_conflict_leaves_the_other_changes_of_its_call_alone(store: Store) -> None:
    store.write(created(row("P50", number=5)))
    undone = store.write(created(*(row(f"P{n}", number=6) for n in range(100))))
    assert undone == {"P50": ProductState(row("P50", number=5))}
    assert store.read(["P49", "P51"]) == {n: ProductState(row(n, number=6)) for n in ("P49", "P51")}


def test_a_removal_leaves_no_row_and_a_second_one_conflicts(
    aws: AwsClient, table: str, store: Store
) -> None:
    store.write(created(row(number=5)))
    removal = change(row(number=5), GONE)
    assert store.write([removal]) == {}
    assert aws("dynamodb").scan(TableName=table)["Items"] == []
    assert store.read(["P1", "P2"]) == {"P1": ProductState(None, GONE), "P2": ProductState()}
    assert store.write([removal]) == {"P1": ProductState(None, GONE)}


def test_what_was_added_before_a_removal_does_not_come_back_after_it(store: Store) -> None:
    late = change(None, row(number=5))
    store.write([late])
    store.write([change(row(number=5), GONE)])
    assert store.write([late]) == {"P1": ProductState(None, GONE)}
    assert store.read(["P1"]) == {"P1": ProductState(None, GONE)}
    # A row is only written by who knows what the marker remembers.
    assert store.write([change(None, row(number=9))]) == {"P1": ProductState(None, GONE)}
    assert store.write([change(None, row(number=9), GONE)]) == {}
    assert store.write([change(row(number=9), later := Removal(10, ("e10",)))]) == {}
    assert store.read(["P1"]) == {"P1": ProductState(None, later)}


def test_a_product_that_came_and_went_is_remembered_as_removed(store: Store) -> None:
    assert store.write([change(None, GONE)]) == {}
    assert store.write([change(None, row(number=5))]) == {"P1": ProductState(None, GONE)}


def test_a_removal_is_remembered_for_two_days(aws: AwsClient, tables: Tables) -> None:
    store = Store(aws("dynamodb"), tables, POOL, Deadline(math.inf), lambda: 1_700_000_000.5)
    store.write([change(None, GONE)])
    [marker] = aws("dynamodb").scan(TableName=tables.removals)["Items"]
    assert marker == {
        "product_id": {"S": "P1"},
        "sequence_number": {"S": f"{6:056d}"},
        "recent_event_ids": {"L": [{"S": "e5"}, {"S": "e6"}]},
        "expires_at": {"N": "1700172800"},
    }


COLOUR = {"colour": {"S": "red"}}


@pytest.mark.parametrize(
    "guard",
    [{}, {"S": "1"}, {"S": "none"}, {"N": "1"}, {"B": b"\x00"}, {"SS": ["a", "b"]}, {"M": COLOUR}],
)
def test_a_row_that_somebody_else_wrote_keeps_its_attributes(
    aws: AwsClient, table: str, store: Store, guard: dict[str, Any]
) -> None:
    theirs: Any = {"product_id": {"S": "P1"}, "quantity": {"N": "3.5"}, **COLOUR}
    theirs |= {"sequence_number": guard} if guard else {}
    aws("dynamodb").put_item(TableName=table, Item=theirs)
    state = store.read(["P1"])["P1"]
    assert isinstance(state, ProductState)
    read = state.row
    assert isinstance(read, Row)
    assert read == Row("P1", "N/A", "3.5", "N/A", 1 if guard == {"S": "1"} else None)

    event = QuantitySet("P1", 2, "e1", 5)
    step = apply(read, event)
    other = apply(read, ProductAdded("P1", 2, "e1", "Lamp", 9, "N/A"))
    assert step.row is not None
    assert other.row is not None
    late = change(read, other.row)
    assert store.write([change(read, step.row)]) == {}
    assert store.write([late]) == {"P1": ProductState(step.row)}
    key: Any = {"product_id": {"S": "P1"}}
    assert aws("dynamodb").get_item(TableName=table, Key=key)["Item"] == {
        **key,
        **COLOUR,
        "quantity": {"N": "5"},
        "sequence_number": {"S": f"{2:056d}"},
        "recent_event_ids": {"L": [{"S": "e1"}]},
    }

    added = change(step.row, row(number=3))
    assert store.write([added]) == {}
    written = aws("dynamodb").get_item(TableName=table, Key=key)["Item"]
    assert written == {**item_of(row(number=3)), **COLOUR}
    assert store.write([change(row(number=3), GONE)]) == {}
    assert store.read(["P1"]) == {"P1": ProductState(None, GONE)}


def test_a_rejected_call_is_unavailable_with_its_code(aws: AwsClient) -> None:
    store = Store(aws("dynamodb"), Tables("no-such-table", "nor-such"), POOL, Deadline(math.inf))
    assert store.read(["P1"]) == {"P1": Unavailable("ResourceNotFoundException")}
    assert store.write(created(row())) == {"P1": Unavailable("ResourceNotFoundException")}


def test_a_table_that_cannot_be_reached_is_unavailable(aws: AwsClient) -> None:
    import boto3

    session = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    client = session.client(
        "dynamodb",
        endpoint_url="http://127.0.0.1:9",
        config=Config(retries={"total_max_attempts": 1}),
    )
    soon = Deadline(time.monotonic() + 0.01)  # no time for a retry
    store = Store(client, Tables("product_inventory", "inventory_removals"), POOL, soon)
    assert store.write(created(row())) == {"P1": Unavailable("EndpointConnectionError")}
