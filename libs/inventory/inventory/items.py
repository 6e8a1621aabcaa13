"""Read and write rows and markers of removals as items, in the form of the DynamoDB API.

Other programs may write to the table, so every item can be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from inventory.event import MAX_LEVEL, NO_TIMESTAMP
from inventory.stock import Removal, Row

SEQUENCE_NUMBER_DIGITS = 56
"""As many as AWS has. Shorter numbers are padded, so that they sort as texts."""

_SEQUENCE_NUMBER = re.compile("[0-9]{1,129}")


def row_of(item: Mapping[str, Any]) -> Row:
    """The row of an item."""
    row = Row(
        product_id=item["product_id"]["S"],
        product_name=_text(item.get("product_name", {}), "N/A"),
        quantity=_quantity(item.get("quantity", {})),
        timestamp=_text(item.get("timestamp", {}), NO_TIMESTAMP),
        sequence_number=sequence_number_of(item),
        recent_event_ids=_texts(item.get("recent_event_ids", {})),
    )
    written = item_of(row)
    if isinstance(row.quantity, int):  # one number may be written in several ways
        written["quantity"] = item["quantity"]
    if item == written:
        return row
    names = ATTRIBUTES | item.keys()
    foreign = {name: item.get(name) for name in names if item.get(name) != written.get(name)}
    return replace(row, foreign=foreign)


def removal_of(item: Mapping[str, Any]) -> Removal:
    """The marker of an item of the table `inventory_removals`."""
    return Removal(sequence_number_of(item) or 0, _texts(item.get("recent_event_ids", {})))


def marker_of(product_id: str, removal: Removal, expires_at: int) -> dict[str, Any]:
    """The item of a marker; `expires_at` in epoch seconds."""
    return {
        "product_id": {"S": product_id},
        "sequence_number": {"S": padded(removal.sequence_number)},
        "recent_event_ids": _list_of(removal.recent_event_ids),
        "expires_at": {"N": str(expires_at)},
    }


def item_of(row: Row) -> dict[str, Any]:
    """The item of a row."""
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


def _list_of(event_ids: tuple[str, ...]) -> dict[str, Any]:
    return {"L": [{"S": event_id} for event_id in event_ids]}


def padded(sequence_number: int) -> str:
    return f"{sequence_number:0{SEQUENCE_NUMBER_DIGITS}d}"


ATTRIBUTES = frozenset(item_of(Row("", "", 0, "", 0)))
"""The attributes that the function writes. It does not change others."""


def sequence_number_of(item: Mapping[str, Any]) -> int | None:
    """The sequence number of an item; None if it has none that can be read."""
    text = _text(item.get("sequence_number", {}), "")
    return int(text) if _SEQUENCE_NUMBER.fullmatch(text) else None


def _quantity(value: Mapping[str, Any]) -> int | str:
    digits = value.get("N")
    if digits is None:
        return str(next(iter(value.values()), "N/A"))
    try:
        number = Decimal(digits)
    except InvalidOperation:
        return str(digits)
    if number.is_finite() and number.copy_abs() <= MAX_LEVEL and number == int(number):
        return int(number)
    return str(digits)


def _text(value: Mapping[str, Any], otherwise: str) -> str:
    text = value.get("S", otherwise)
    return text if isinstance(text, str) else otherwise


def _texts(value: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["S"] for each in value.get("L", ()) if "S" in each)
