"""What an event did to its row, in words. Pure."""

from __future__ import annotations

from inventory.stock import Outcome, Row, Step
from inventory_aws.shown import shown


def effect_of(before: Row | None, step: Step) -> str:
    match step.outcome:
        case Outcome.DUPLICATE:
            return "applied before"
        case Outcome.NOT_FOUND:
            return "no such product"
        case Outcome.APPLIED:
            return _change(before, step.row)
    return ""


def _change(before: Row | None, after: Row | None) -> str:
    if after is None:
        return "row removed"
    if before is None:
        return f"new row, quantity {after.quantity}"
    if before.product_name == after.product_name:
        return shown(f"quantity {before.quantity} → {after.quantity}")
    return f"{_row(before)} → {_row(after)}"


def _row(row: Row) -> str:
    return shown(f"{row.product_name} {row.quantity}")
