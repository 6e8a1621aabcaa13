"""Levels that cross a threshold, from the records of the table's stream. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from alerts.cause import Cause, Kind, Occurrence
from alerts.texts import excerpt_or_none


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Stock is low at `low` and below, and over above `high`; None turns one off."""

    low: int | None
    high: int | None


def crossed(before: int | None, after: int | None, thresholds: Thresholds) -> list[Kind]:
    """What a level that was `before` and is `after` has become; None is no row.

    A row that is new with such a level has crossed, one that is removed has not.
    """
    if after is None:
        return []
    low, high = thresholds.low, thresholds.high
    found = []
    if low is not None and after <= low and (before is None or before > low):
        found.append(Kind.LOW_STOCK)
    if high is not None and after > high and (before is None or before <= high):
        found.append(Kind.HIGH_STOCK)
    return found


def crossings(record: Any, thresholds: Thresholds) -> Iterator[Occurrence]:
    """The crossings that a record of the table's stream, with both images, tells of.

    Rows of ours always have a level, a whole number. A row that somebody else wrote without one
    tells of nothing.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
    """
    change = record["dynamodb"]
    row = change.get("NewImage", {})
    before, after = _level(change.get("OldImage", {})), _level(row)
    for kind in crossed(before, after, thresholds):
        at = float(change["ApproximateCreationDateTime"])
        sample = {
            "at": at,
            "product_id": change["Keys"]["product_id"]["S"],
            "product_name": excerpt_or_none(row.get("product_name", {}).get("S")),
            "event_id": _last_event_id(row),
            "quantity_before": before,
            "quantity": after,
            "threshold": thresholds.low if kind is Kind.LOW_STOCK else thresholds.high,
        }
        yield Occurrence(Cause.of(kind, kind), at, [sample])


def _level(image: Any) -> int | None:
    try:
        number = Decimal(image["quantity"]["N"])
        return int(number) if number == int(number) else None
    except (KeyError, ValueError, ArithmeticError):
        return None


def _last_event_id(row: Any) -> str | None:
    ids = row.get("recent_event_ids", {}).get("L", ())
    return ids[-1].get("S") if ids else None
