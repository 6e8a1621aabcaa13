"""The requests to DynamoDB for the change of a product, and the reasons if they fail.

A row is written only if it still has the sequence number that was read. If there is none, the
product may have been removed since, and a late invocation would bring it back. So the table
`inventory_removals` keeps a marker of each removal for two days. The marker also has the event ids
of the row, to recognise duplicates that arrive after the removal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from inventory.items import item_of, marker_of, padded, removal_of, row_of
from inventory.stock import Removal, Row, is_guarded
from inventory_aws.transient_errors import is_transient_code
from processor.calls import Unavailable

MARKER_SECONDS = 48 * 3600
"""How long a removal is remembered: much longer than a late invocation can last."""

FAILED_CONDITION = "ConditionalCheckFailed"


@dataclass(frozen=True, slots=True)
class Tables:
    rows: str
    removals: str


@dataclass(frozen=True, slots=True)
class ProductState:
    """The row of a product, and the marker of its last removal if the row does not guard it."""

    row: Row | None = None
    removed: Removal | None = None
    transient: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Change:
    """The state of a product that was read, and its new row or the marker of its removal."""

    product_id: str
    before: ProductState
    after: Row | Removal

    def has_made(self, state: ProductState) -> bool:
        """Whether the state comes from an earlier attempt at this change, whose response was
        lost."""
        if isinstance(self.after, Removal):
            return state == ProductState(None, self.after)
        return state.row == self.after


def requests_of(change: Change, tables: Tables, now: float) -> list[Any]:
    """Return the items of TransactWriteItems, one or two. `now` is in seconds since the epoch."""
    guard = {
        "TableName": tables.removals,
        "ConditionExpression": "attribute_not_exists(product_id) OR sequence_number <= :known",
        "ExpressionAttributeValues": {":known": {"S": padded(_last_removal(change))}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    requests = [_row_request(change, tables)]
    if isinstance(change.after, Removal):
        marker = marker_of(change.product_id, change.after, int(now) + MARKER_SECONDS)
        requests.append({"Put": {**guard, "Item": marker}})
    elif not is_guarded(change.before.row):
        key = {"product_id": {"S": change.product_id}}
        requests.append({"ConditionCheck": {**guard, "Key": key}})
    return requests


def problem_of(change: Change, reasons: Sequence[Any]) -> ProductState | Unavailable | None:
    """Return why a transaction was cancelled, or None if not for this change.

    `reasons` are those of the change's requests.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
    """
    codes = [str(reason.get("Code") or "None") for reason in reasons]
    for code in codes:
        if code not in ("None", FAILED_CONDITION):
            return Unavailable(code, is_transient_code(code))
    if FAILED_CONDITION not in codes:
        return None
    row, removed = change.before.row, None
    if codes[0] == FAILED_CONDITION:
        item = reasons[0].get("Item")
        row = row_of(item) if item else None
    if len(codes) > 1 and codes[1] == FAILED_CONDITION:
        removed = removal_of(reasons[1]["Item"])
    return ProductState(row, removed)


def _row_request(change: Change, tables: Tables) -> dict[str, Any]:
    request: dict[str, Any] = {
        "TableName": tables.rows,
        "Key": {"product_id": {"S": change.product_id}},
        "ConditionExpression": "attribute_not_exists(sequence_number)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    values = {}
    if (read := _sequence_number(change.before.row)) is not None:
        request["ConditionExpression"] = "sequence_number = :read"
        values = request["ExpressionAttributeValues"] = {":read": read}
    if isinstance(change.after, Removal):
        return {"Delete": request}
    # An update, because a put would remove attributes that somebody else added.
    item = item_of(change.after)
    names = sorted(item.keys() - change.after.foreign.keys() - {"product_id"})
    return {
        "Update": request
        | {
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in names),
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": values | {f":{name}": item[name] for name in names},
        }
    }


def _last_removal(change: Change) -> int:
    """Return the sequence number of the last removal that the change may follow."""
    if is_guarded(change.before.row) and isinstance(change.after, Removal):
        return change.after.sequence_number - 1  # the marker was not read, but it is older
    return change.before.removed.sequence_number if change.before.removed else 0


def _sequence_number(row: Row | None) -> Any:
    """Return what the table has as the row's sequence number, of any type, or None."""
    if row is None:
        return None
    if (number := row.sequence_number) is None:
        return row.foreign.get("sequence_number")
    return row.foreign.get("sequence_number", {"S": padded(number)})
