"""Items of the table as plain values. Pure; whatever somebody wrote into the table, it is told."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from operations.table_stream import Item

EVENT_IDS = "recent_event_ids"

Image = Mapping[str, Any]
"""A row's attributes, but for the event ids that it remembers: those say who."""


def image(item: Item | None) -> Image | None:
    """What the item holds, in JSON's own types."""
    if item is None:
        return None
    return {name: _plain(value) for name, value in sorted(item.items()) if name != EVENT_IDS}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, held),) = value.items()
    match kind:
        case "N":
            return _number(held)
        case "NS":
            return sorted(_number(each) for each in held)
        case "SS":
            return sorted(held)
        case "L":
            return [_plain(each) for each in held]
        case "M":
            return {name: _plain(each) for name, each in held.items()}
        case "B":
            return b64encode(held).decode()
        case "BS":
            return sorted(b64encode(each).decode() for each in held)
        case "NULL":
            return None
    return held


def _number(digits: str) -> int | float:
    number = Decimal(digits)
    return int(number) if number == number.to_integral_value() else float(number)
