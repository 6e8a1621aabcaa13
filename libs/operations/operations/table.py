"""Read, compare and show the rows of the table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from inventory.items import removal_of, row_of
from inventory.stock import Removal, Row
from inventory_aws.shown import shown

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from inventory_aws.names import Names

COLUMNS = ("product_id", "product_name", "quantity", "timestamp")
"""The attributes that describe the product; the others guard the row."""


def read(client: DynamoDBClient, table: str) -> dict[str, Row]:
    """Return all rows by product id, in natural order: P2 comes before P10."""
    rows = [row_of(item) for item in _items(client, table)]
    return {row.product_id: row for row in sorted(rows, key=lambda row: natural(row.product_id))}


def read_removals(client: DynamoDBClient, table: str) -> dict[str, Removal]:
    """Return all markers of removals by product id."""
    return {item["product_id"]["S"]: removal_of(item) for item in _items(client, table)}


def _items(client: DynamoDBClient, table: str) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return (item for page in pages for item in page["Items"])


def look_up(
    client: DynamoDBClient, names: Names, product_ids: Collection[str]
) -> tuple[dict[str, Row], dict[str, Removal]]:
    """Return the rows of these products, in natural order, and the markers of their removals."""

    def items(table: str) -> Iterator[dict[str, Any]]:
        for product_id in sorted(product_ids, key=natural):
            key: Any = {"product_id": {"S": product_id}}
            answer = client.get_item(TableName=table, Key=key, ConsistentRead=True)
            if "Item" in answer:
                yield answer["Item"]

    rows = {row.product_id: row for row in map(row_of, items(names.table))}
    markers = items(names.removals_table)
    return rows, {item["product_id"]["S"]: removal_of(item) for item in markers}


def of(product_ids: Collection[str], rows: Mapping[str, Row]) -> dict[str, Row]:
    """The rows of these products."""
    return {product_id: row for product_id, row in rows.items() if product_id in product_ids}


def values(row: Row) -> dict[str, Any]:
    """What the row says about the product."""
    return {column: getattr(row, column) for column in COLUMNS}


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key that orders numbers in texts by value."""
    parts = re.split(r"(\d+)", text)
    return [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in parts]


def rendered(rows: Iterable[Row]) -> Table:
    """The rows for a terminal, with texts from outside escaped."""
    table = Table(*COLUMNS)
    table.columns[COLUMNS.index("quantity")].justify = "right"
    for row in rows:
        table.add_row(*(Text(shown(str(value))) for value in values(row).values()))
    return table


def changes(before: Mapping[str, Row], after: Mapping[str, Row]) -> Iterator[str]:
    """A line for each product that differs, in natural order."""
    for product_id in sorted(before.keys() | after.keys(), key=natural):
        expected, actual = before.get(product_id), after.get(product_id)
        if (expected and values(expected)) != (actual and values(actual)):
            yield f"{shown(product_id)}: expected {_words(expected)}, found {_words(actual)}"


def _words(row: Row | None) -> str:
    if row is None:
        return "no row"
    return shown(", ".join(f"{k}={v!r}" for k, v in values(row).items() if k != "product_id"))
