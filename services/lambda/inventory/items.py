"""Rows and markers of removals as items of their tables, in the DynamoDB API's own notation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from inventory.event import NO_TIMESTAMP
from inventory.stock import Removal, Row

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
        recent_event_ids=_ids_of(item),
    )


def removal_of(item: dict[str, Any]) -> Removal:
    """The marker that an item of the table `inventory_removals` holds."""
    return Removal(int(item["sequence_number"]["S"]), _ids_of(item))


def marker_of(product_id: str, removal: Removal, expires_at: int) -> dict[str, Any]:
    """The item of the table `inventory_removals` that holds a marker; `expires_at` in epoch
    seconds."""
    return {
        "product_id": {"S": product_id},
        "sequence_number": {"S": padded(removal.sequence_number)},
        "recent_event_ids": _list_of(removal.recent_event_ids),
        "expires_at": {"N": str(expires_at)},
    }


def item_of(row: Row) -> dict[str, Any]:
    """The item of the table that holds a row; its sequence number sorts as a text."""
    item: dict[str, Any] = {
        "product_id": {"S": row.product_id},
        "product_name": {"S": row.product_name},
        "quantity": {"N": str(row.quantity)},
        "timestamp": {"S": row.timestamp},
        "recent_event_ids": _list_of(row.recent_event_ids),
    }
    if row.sequence_number is not None:
        item["sequence_number"] = {"S": padded(row.sequence_number)}
    return item


def _ids_of(item: dict[str, Any]) -> tuple[str, ...]:
    return tuple(e["S"] for e in item.get("recent_event_ids", {}).get("L", ()))


def _list_of(event_ids: tuple[str, ...]) -> dict[str, Any]:
    return {"L": [{"S": event_id} for event_id in event_ids]}


def padded(sequence_number: int) -> str:
    return f"{sequence_number:0{SEQUENCE_NUMBER_DIGITS}d}"
