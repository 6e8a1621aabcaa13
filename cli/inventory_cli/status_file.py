"""The layout of `DynamodbTableStatus.txt`: events, with the table before the first and after each.

The file comes from the system that this project replaces.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from inventory.items import item_of
from inventory.stock import Row

RULE = "-" * 34
ATTRIBUTES = ("quantity", "product_name", "product_id", "timestamp")


def table_before(rows: Mapping[str, Row]) -> Iterator[str]:
    """Return the lines of the table before the first event."""
    return _table("before", rows)


def event_and_table(event: str, rows: Mapping[str, Row]) -> Iterator[str]:
    """Return the lines of an event, which is JSON, and of the table after it."""
    yield from ("", f"Operation/Event --------> {event}", "")
    yield from _table("after", rows)


def _table(when: str, rows: Mapping[str, Row]) -> Iterator[str]:
    yield f"Dynamodb Status {when} Operation...."
    yield RULE
    for row in rows.values():
        item: dict[str, Any] = item_of(row)
        yield json.dumps({name: item[name] for name in ATTRIBUTES})
    yield RULE
