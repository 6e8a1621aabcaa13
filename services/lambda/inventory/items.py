"""A row as an item of the table `product_inventory`, in the DynamoDB API's own notation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from inventory.event import NO_TIMESTAMP
from inventory.stock import Row

SEQUENCE_NUMBER_DIGITS = 56
"""As many as AWS gives; shorter ones are padded, so that they sort as texts."""


def row_of(item: dict[str, Any]) -> Row:
    """The row that an item of the table (as the DynamoDB API gives it) holds."""
    sequence_number = item.get("sequence_number", {}).get("S")
    return Row(
        product_id=item["product_id"]["S"],
        product_name=item.get("product_name", {}).get("S", "N/A"),
        quantity=int(Decimal(item.get("quantity", {}).get("N", "0"))),
        timestamp=item.get("timestamp", {}).get("S", NO_TIMESTAMP),
        sequence_number=None if sequence_number is None else int(sequence_number),
        recent_event_ids=tuple(e["S"] for e in item.get("recent_event_ids", {}).get("L", ())),
    )


def item_of(row: Row) -> dict[str, Any]:
    """The item of the table that holds a row; its sequence number sorts as a text."""
    item: dict[str, Any] = {
        "product_id": {"S": row.product_id},
        "product_name": {"S": row.product_name},
        "quantity": {"N": str(row.quantity)},
        "timestamp": {"S": row.timestamp},
        "recent_event_ids": {"L": [{"S": event_id} for event_id in row.recent_event_ids]},
    }
    if row.sequence_number is not None:
        item["sequence_number"] = {"S": padded(row.sequence_number)}
    return item


def padded(sequence_number: int) -> str:
    return f"{sequence_number:0{SEQUENCE_NUMBER_DIGITS}d}"
