"""Ways to break an event on purpose. The pipeline must reject each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]


def dump(document: Document) -> bytes:
    """The JSON text of an event, UTF-8, without spaces."""
    return json.dumps(document, separators=(",", ":")).encode()


def _changed(**fields: object) -> Callable[[Document], bytes]:
    return lambda event: dump({**event, **fields})


def _without(field: str) -> Callable[[Document], bytes]:
    return lambda event: dump({name: value for name, value in event.items() if name != field})


def _product(breaking: Callable[[Document], Document]) -> Callable[[Document], bytes]:
    return lambda event: dump({**event, "product": breaking(event["product"])})


def _product_without(field: str) -> Callable[[Document], bytes]:
    return _product(lambda product: {k: v for k, v in product.items() if k != field})


# Each takes a valid `product_added` event, the only type that needs all its fields.
WAYS: dict[str, Callable[[Document], bytes]] = {
    "unknown_type": _changed(event_type="product_misplaced"),
    "missing_type": _without("event_type"),
    "missing_product": _without("product"),
    "product_not_an_object": _changed(product=[]),
    "missing_product_id": _product_without("product_id"),
    "empty_product_id": _product(lambda product: {**product, "product_id": ""}),
    "missing_product_name": _product_without("product_name"),
    "missing_quantity": _product_without("quantity"),
    "negative_quantity": _product(lambda product: {**product, "quantity": -product["quantity"]}),
    "fractional_quantity": _product(lambda p: {**p, "quantity": p["quantity"] + 0.5}),
    "boolean_quantity": _product(lambda product: {**product, "quantity": True}),
    "worded_quantity": _product(lambda product: {**product, "quantity": "several"}),
    "not_json": lambda event: dump(event)[:-2],
    "not_utf8": lambda event: b"\xff" + dump(event),
}
UNREADABLE = frozenset({"not_json", "not_utf8"})
