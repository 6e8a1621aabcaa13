"""DynamoDB in memory, as far as the function uses it: two tables, conditions, throttling."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from bench.simulation.clock import Clock

TRANSACTIONAL = 2
"""Units of an item of a transaction, for each KB begun."""


Item = dict[str, Any]
Key = tuple[str, str]
"""The table and the product."""


class CancelledError(ClientError):
    """TransactionCanceledException, as boto3 raises it."""


@dataclass(frozen=True)
class Limits:
    """Write units a second: of the table, by time, and of one partition key."""

    table: Callable[[float], float]
    key: float = 1_000


class Table:
    """The client that the function's store is given. Units are counted second by second."""

    def __init__(
        self,
        clock: Clock,
        limits: Limits,
        read: float,
        write: float,
        stocked: Callable[[Key], Item | None],
    ) -> None:
        """`stocked` is what was there from the beginning; calls take `read` and `write` seconds."""
        self.exceptions = SimpleNamespace(TransactionCanceledException=CancelledError)
        self.items: dict[Key, Item | None] = {}
        """What was written; None is an item that was deleted."""
        self.throttled: Counter[str] = Counter()
        self.units = 0
        self.busiest: Counter[int] = Counter()
        self._by_key: Counter[tuple[str, str, int]] = Counter()
        self._clock, self._limits = clock, limits
        self._read, self._write = read, write
        self._stocked = stocked

    def item(self, key: Key) -> Item | None:
        return self.items[key] if key in self.items else self._stocked(key)

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        self._clock.sleep(self._read)
        found = {
            table: [
                item
                for key in asked["Keys"]
                if (item := self.item((table, key["product_id"]["S"])))
            ]
            for table, asked in RequestItems.items()
        }
        return {"Responses": found, "UnprocessedKeys": {}}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803
        self._clock.sleep(self._write)
        requests = [next(iter(item.items())) for item in TransactItems]
        self._take_units(requests)
        reasons = [self._reason(request) for _, request in requests]
        if any(reason["Code"] != "None" for reason in reasons):
            _cancel(reasons)
        for kind, request in requests:
            key = request["TableName"], _product(request)
            if kind == "Put":
                self.items[key] = request["Item"]
            elif kind == "Update":
                self.items[key] = (self.item(key) or {}) | _updated(request)
            elif kind == "Delete":
                self.items[key] = None

    def _take_units(self, requests: list[tuple[str, dict[str, Any]]]) -> None:
        """All or nothing, as the transaction; raises what DynamoDB says of too many."""
        second = int(self._clock.now)
        cost = {
            (request["TableName"], _product(request)): TRANSACTIONAL * _kilobytes(request)
            for _, request in requests
        }
        total = sum(cost.values())
        if self.busiest[second] + total > self._limits.table(self._clock.now):
            self.throttled["table"] += 1
            raise ClientError(
                {"Error": {"Code": "ThrottlingException", "Message": "the table's units"}},
                "TransactWriteItems",
            )
        hot = {k for k, n in cost.items() if self._by_key[*k, second] + n > self._limits.key}
        if hot:
            self.throttled["key"] += len(hot)
            _cancel([{"Code": "ThrottlingError" if k in hot else "None"} for k in cost])
        for key, units in cost.items():
            self._by_key[*key, second] += units
        self.busiest[second] += total
        self.units += total

    def _reason(self, request: Mapping[str, Any]) -> dict[str, Any]:
        item = self.item((request["TableName"], _product(request)))
        if _holds(request, item):
            return {"Code": "None"}
        return {"Code": "ConditionalCheckFailed"} | ({"Item": item} if item else {})


def _product(request: Mapping[str, Any]) -> str:
    return str((request.get("Item") or request["Key"])["product_id"]["S"])


def _kilobytes(request: Mapping[str, Any]) -> int:
    """KB begun of what is written: names, and texts and digits as long as they are."""
    item = request.get("Item") or _updated(request)
    return max(1, math.ceil(sum(map(_size, item.items())) / 1024))


def _updated(request: Mapping[str, Any]) -> Item:
    """The key and the attributes that an update sets."""
    values = request.get("ExpressionAttributeValues", {})
    names = request.get("ExpressionAttributeNames", {}).values()
    return {**request["Key"], **{name: values[f":{name}"] for name in names}}


def _size(attribute: tuple[str, Mapping[str, Any]]) -> int:
    name, value = attribute
    return len(name) + sum(
        3 + sum(1 + len(each["S"]) for each in held) if isinstance(held, list) else len(held)
        for held in value.values()
    )


def _holds(request: Mapping[str, Any], item: Mapping[str, Any] | None) -> bool:
    """The three conditions that the function writes under (`processor.writes`)."""
    number = item["sequence_number"]["S"] if item else None
    values = {k: v.get("S") for k, v in request.get("ExpressionAttributeValues", {}).items()}
    match request["ConditionExpression"]:
        case "sequence_number = :read":
            return bool(number == values[":read"])
        case "attribute_not_exists(sequence_number)":
            return number is None
        case "attribute_not_exists(product_id) OR sequence_number <= :known":
            return number is None or bool(number <= values[":known"])
        case other:
            raise NotImplementedError(f"no such condition is known here: {other}")


def _cancel(reasons: list[dict[str, Any]]) -> NoReturn:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": reasons,
    }
    raise CancelledError(answer, "TransactWriteItems")
