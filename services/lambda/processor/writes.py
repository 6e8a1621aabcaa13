"""What a change of a product asks of DynamoDB, and what its refusal says. Pure.

A row is guarded by its own sequence number. Where there is none, its product may have been removed
since it was read, and an invocation that outlived its caller would bring it back: so the table
`inventory_removals` keeps a marker of each removal for a while, and guards what has no row. The
marker remembers the event ids of the row, for copies that arrive after the removal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory.items import item_of, marker_of, padded, removal_of, row_of
from inventory.stock import Removal, Row, is_guarded
from inventory_aws.errors import is_transient_code

MARKER_SECONDS = 48 * 3600
"""How long a removal is remembered: far longer than an invocation that nobody waits for any more
can last. A batch that is delivered again in its order comes out right without."""

_NO_LATER_REMOVAL = "attribute_not_exists(product_id) OR sequence_number <= :known"


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of the table of the rows and of that of the markers."""

    rows: str
    removals: str


@dataclass(frozen=True, slots=True)
class Change:
    """The row of a product as it was read (None: no row), and what is to be written: the row, or
    the marker of its removal.

    `removed` is the marker as it was read; that of a row with a sequence number is not.
    """

    product_id: str
    before: Row | None
    after: Row | Removal
    removed: Removal | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """The row is no longer the one that was read, or the product was removed since; `row` is what
    is there now, `removed` the marker of that removal."""

    row: Row | None
    removed: Removal | None = None

    def is_made_by(self, change: Change) -> bool:
        """Whether the change itself stands in its way: an earlier try whose answer was lost."""
        if isinstance(change.after, Removal):
            return self.row is None and self.removed == change.after
        return self.row == change.after


@dataclass(frozen=True, slots=True)
class Unavailable:
    """DynamoDB did not do it, for `code`; if that is transient, it may yet."""

    code: str
    transient: bool = field(default=False, compare=False)


def requests_of(change: Change, tables: Tables, now: float) -> list[Any]:
    """What TransactWriteItems has to do for a change, one item or two; `now` in epoch seconds."""
    guard = _guard(change, tables)
    if isinstance(change.after, Removal):
        marker = marker_of(change.product_id, change.after, int(now) + MARKER_SECONDS)
        return [_row_write(change, tables), {"Put": {**guard, "Item": marker}}]
    if is_guarded(change.before):
        return [_row_write(change, tables)]
    key = {"product_id": {"S": change.product_id}}
    return [_row_write(change, tables), {"ConditionCheck": {**guard, "Key": key}}]


def obstacle(change: Change, reasons: Sequence[Any]) -> Conflict | Unavailable | None:
    """Why a transaction did not do a change, by the reasons of its requests; None: it could have.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
    """
    codes = [reason.get("Code") or "None" for reason in reasons]
    for code in codes:
        if code not in ("None", "ConditionalCheckFailed"):
            return Unavailable(str(code), is_transient_code(str(code)))
    if not any(code == "ConditionalCheckFailed" for code in codes):
        return None
    row, removed = change.before, None
    if codes[0] != "None":
        item = reasons[0].get("Item")
        row = row_of(item) if item else None
    if codes[-1] != "None" and len(codes) > 1:
        removed = removal_of(reasons[-1]["Item"])
    return Conflict(row, removed)


def _row_write(change: Change, tables: Tables) -> dict[str, Any]:
    write: dict[str, Any] = {
        "TableName": tables.rows,
        "Key": {"product_id": {"S": change.product_id}},
        "ConditionExpression": "attribute_not_exists(sequence_number)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    values = {}
    if (read := _number(change.before)) is not None:
        write["ConditionExpression"] = "sequence_number = :read"
        values = write["ExpressionAttributeValues"] = {":read": read}
    if isinstance(change.after, Removal):
        return {"Delete": write}
    # Not a put: attributes that somebody else added stay.
    item = item_of(change.after)
    names = sorted(item.keys() - change.after.foreign.keys() - {"product_id"})
    return {
        "Update": write
        | {
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in names),
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": values | {f":{name}": item[name] for name in names},
        }
    }


def _guard(change: Change, tables: Tables) -> dict[str, Any]:
    known = change.removed.sequence_number if change.removed is not None else 0
    if is_guarded(change.before) and isinstance(change.after, Removal):
        known = change.after.sequence_number - 1  # the marker was not read, but is older
    return {
        "TableName": tables.removals,
        "ConditionExpression": _NO_LATER_REMOVAL,
        "ExpressionAttributeValues": {":known": {"S": padded(known)}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _number(row: Row | None) -> Any:
    """The sequence number of a row as the table holds it, of any type; None: it has none."""
    if row is None:
        return None
    if (number := row.sequence_number) is None:
        return row.foreign.get("sequence_number")
    return row.foreign.get("sequence_number", {"S": padded(number)})
