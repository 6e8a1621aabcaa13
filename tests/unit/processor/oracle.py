"""The contract a second time, written from its description for the tests only.

It is naive on purpose, uses nothing of the function's code, and takes each record once, in order.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from decimal import Decimal, InvalidOperation
from typing import Any

MOST = 10**38 - 1
REMEMBERED_IDS = 24
DEEPEST = 100


class BadError(Exception):
    """The payload breaks the contract."""


class OutcomeError(Exception):
    """Any but "applied"."""


class Oracle:
    """The table `rows`, and what becomes of each record that is put."""

    def __init__(self, *, enforce_names: bool = False) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self._ids: defaultdict[str, list[str]] = defaultdict(list)
        self._enforce_names = enforce_names

    def put(self, number: int, key: str, data: bytes) -> str:
        """The outcome; of a rejected record with its code, unless its payload is bad."""
        try:
            event = _valid(_document(data))
        except BadError:
            return "rejected"
        product = event["product"]
        product_id, event_id = product["product_id"], event.get("event_id")
        if key != product_id:
            return "rejected partition_key.differs"
        if event_id is not None and event_id in self._ids[product_id][-REMEMBERED_IDS:]:
            return "duplicate"
        try:
            row = self._after(event["event_type"], product)
        except OutcomeError as outcome:
            return str(outcome)
        if event_id is not None:
            self._ids[product_id].append(event_id)
        self.rows.pop(product_id, None)
        if row is not None:
            self.rows[product_id] = {**row, "sequence_number": f"{number:056d}"}
        return "applied"

    def _after(self, kind: str, product: dict[str, Any]) -> dict[str, Any] | None:
        if kind == "product_added":
            return {
                "product_id": product["product_id"],
                "product_name": product["product_name"],
                "quantity": int(product["quantity"]),
                "timestamp": product.get("timestamp", "N/A"),
            }
        row = self.rows.get(product["product_id"])
        if row is None:
            raise OutcomeError("not_found")
        if kind == "product_removed":
            name = product.get("product_name")
            if self._enforce_names and name is not None and name != row["product_name"]:
                raise OutcomeError("rejected product.product_name.differs")
            return None
        if "quantity" in product:
            return {**row, "quantity": int(product["quantity"])}
        level = row["quantity"] + int(product["quantity_change"])
        if level < 0:
            raise OutcomeError("rejected product.quantity_change.below_zero")
        if level > MOST:
            raise OutcomeError("rejected product.quantity_change.too_high")
        return {**row, "quantity": level}


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item of DynamoDB as the oracle has its row."""
    names = ("product_id", "product_name", "timestamp", "sequence_number")
    return {**{name: item[name]["S"] for name in names}, "quantity": int(item["quantity"]["N"])}


def _document(data: bytes) -> Any:
    def no_number(name: str) -> None:
        raise BadError(name)

    try:
        text = data.decode("utf-8")
        if _depth(text) > DEEPEST:
            raise BadError("depth")
        return json.loads(text, parse_float=_number, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise BadError from error


def _number(literal: str) -> object:
    """A number with a point or an exponent: whole ones count, 15.0 and 1e3."""
    try:
        number = Decimal(literal)
        return int(number) if abs(number) <= MOST and number == int(number) else number
    except InvalidOperation:
        return literal.encode()  # none at all


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= DEEPEST:
        return 0
    deepest = depth = 0
    in_text = escaped = False
    for character in text:
        if in_text:
            in_text = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            in_text = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _valid(event: Any) -> Any:
    _check(isinstance(event, dict))
    kind, product = event.get("event_type"), event.get("product")
    _check(kind in ("product_added", "product_removed", "product_quantity_changed"))
    if "event_id" in event:
        _check(_is_text(event["event_id"], 128))
    _check(isinstance(product, dict))
    _check(_is_text(product.get("product_id"), 256))
    if kind == "product_added":
        _check(_is_text(product.get("product_name"), 1024))
        _check(_is_level(product.get("quantity")))
        _check(_is_text(product.get("timestamp", "N/A"), 64))
    if kind == "product_quantity_changed":
        _check(("quantity" in product) != ("quantity_change" in product))
        if "quantity" in product:
            _check(_is_level(product["quantity"]))
        else:
            _check(_is_whole(product["quantity_change"], r"[+-]?[0-9]{1,38}", -MOST))
    return event


def _check(holds: bool) -> None:
    if not holds:
        raise BadError


def _is_text(value: Any, longest: int) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        return False
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in value)


def _is_level(value: Any) -> bool:
    return _is_whole(value, r"[0-9]{1,38}", 0)


def _is_whole(value: Any, digits: str, least: int) -> bool:
    if isinstance(value, str):
        return re.fullmatch(digits, value) is not None
    return type(value) is int and least <= value <= MOST
