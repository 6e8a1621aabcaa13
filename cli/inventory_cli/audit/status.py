"""The audit log in the layout of `DynamodbTableStatus.txt`: each change, and the table after it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from inventory.stock import Row
from inventory_cli.audit.entry import Entry
from inventory_cli.audit.images import Image
from inventory_cli.scenario import table_status
from operations.table import natural


class Status:
    """The table as it was before the first of the changes, and after each.

    `rows` are those of the table now. A product that no entry is about has been like that all
    along; the others were before as their first entry says.
    """

    def __init__(self, rows: Mapping[str, Row], entries: Iterable[Entry]) -> None:
        self._rows = dict(rows)
        for entry in reversed(list(entries)):
            self._set(entry.product_id, entry.before)

    def before(self) -> Iterator[str]:
        yield from table_status("before", self._sorted())

    def after(self, entry: Entry) -> Iterator[str]:
        self._set(entry.product_id, entry.after)
        yield ""
        yield f"Operation/Event --------> {_operation(entry)}"
        yield ""
        yield from table_status("after", self._sorted())

    def _set(self, product_id: str, image: Image | None) -> None:
        if image is None:
            self._rows.pop(product_id, None)
        else:
            self._rows[product_id] = _row(product_id, image)

    def _sorted(self) -> dict[str, Row]:
        return {each: self._rows[each] for each in sorted(self._rows, key=natural)}


def _operation(entry: Entry) -> str:
    """What the change tells of its event. The event itself is not in the table's stream."""
    return json.dumps(
        {
            "event_type": entry.event_type,
            "event_ids": entry.event_ids,
            "product_id": entry.product_id,
            "at": entry.at,
        }
    )


def _row(product_id: str, image: Image) -> Row:
    return Row(
        product_id=product_id,
        product_name=str(image.get("product_name", "N/A")),
        quantity=str(image.get("quantity", "N/A")),
        timestamp=str(image.get("timestamp", "N/A")),
    )
