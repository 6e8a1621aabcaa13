"""Stock levels that cross a threshold, from the records of the table's stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from alerts.occurrence import Kind, Occurrence, excerpt


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Stock is low at `low` and below, and high above `high`. None turns one off."""

    low: int | None
    high: int | None


def crossings(record: Any, thresholds: Thresholds) -> Iterator[Occurrence]:
    """Yield the thresholds that the level of a row has crossed.

    A row that somebody else wrote may have no level, or none that is a whole number.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
    """
    change = record["dynamodb"]
    row = change.get("NewImage", {})
    before, after = _level(change.get("OldImage", {})), _level(row)
    ids = row.get("recent_event_ids", {}).get("L")
    at = float(change["ApproximateCreationDateTime"])
    for kind, threshold in crossed(before, after, thresholds).items():
        sample = {
            "at": at,
            "product_id": change["Keys"]["product_id"]["S"],
            "product_name": excerpt(row.get("product_name", {}).get("S")),
            "event_id": excerpt(ids[-1].get("S")) if ids else None,
            "quantity_before": before,
            "quantity": after,
            "threshold": threshold,
        }
        yield Occurrence(record["eventID"], kind, kind, at, [sample])


def crossed(before: int | None, after: int | None, thresholds: Thresholds) -> dict[Kind, int]:
    """Return the thresholds that are crossed if a level changes.

    None means that there is no row, or that its level is no whole number. From None a level can
    cross a threshold, to None it cannot.
    """
    found = {}
    low, high = thresholds.low, thresholds.high
    if after is not None and low is not None and after <= low and (before is None or before > low):
        found[Kind.LOW_STOCK] = low
    if after is not None and high is not None and after > high and (before or 0) <= high:
        found[Kind.HIGH_STOCK] = high
    return found


def _level(image: Any) -> int | None:
    try:
        number = Decimal(image["quantity"]["N"])
        return int(number) if number == int(number) else None
    except (KeyError, ValueError, ArithmeticError):
        return None
