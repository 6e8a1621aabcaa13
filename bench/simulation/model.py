"""Models of time, Kinesis and DynamoDB, as far as they decide anything here.

Kinesis: which shard a key is in, how much a shard takes, and what a reshard closes and opens.
DynamoDB: two tables, conditions and throttling.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from bench.simulation.scenario import Put
from eventbridge_pipes.record import Shard
from inventory_cli.planning import capacity

EPOCH = 1_800_000_000.0
"""Where simulated time begins, in epoch seconds: records bear such times."""


class Clock:
    """A clock that moves only when somebody sets it forward."""

    def __init__(self, now: float = EPOCH) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


KEYS = 2**128
SHARD_RECORDS = 1_000
"""Records a second that a shard takes, and, at once, after it was quiet."""


@dataclass
class SimulatedShard:
    """`records` are in order; each is a put and when it arrived."""

    shard: Shard
    first: int
    end: int
    records: list[tuple[float, Put]] = field(default_factory=list)
    closed: bool = False
    full_until: float = 0.0


class Stream:
    def __init__(self, shards: int) -> None:
        self.all: dict[str, SimulatedShard] = {}
        self.refused = 0
        self._hashes: dict[int, int] = {}
        bounds = [KEYS * place // shards for place in range(shards + 1)]
        self._open = [self._make(*pair, ()) for pair in itertools.pairwise(bounds)]

    @property
    def listed(self) -> list[Shard]:
        return [each.shard for each in self.all.values()]

    def put(self, put: Put) -> None:
        """A producer that is refused tries until the record is taken; what is behind it waits."""
        shard = self._open[self._place(put.product)]
        arrived = max(put.at, shard.full_until - 1.0)
        self.refused += arrived > put.at
        shard.full_until = max(shard.full_until, arrived) + 1 / SHARD_RECORDS
        shard.records.append((arrived, put))

    def reshard(self, hottest: int, count: int) -> int:
        """Split the shard of `hottest` and some others, and merge as many pairs. Return how many
        shards that makes."""
        before = list(self._open)
        known = len(self.all)
        hot = self._place(hottest)
        step = max(4, len(before) // max(1, count))
        splits = {(hot + place * step) % len(before) for place in range(max(1, count))}
        for place in sorted(splits):
            old = before[place]
            self._replace([old], old.first, (old.first + old.end) // 2, old.end)
            pair = before[place + 2 : place + 4]
            if len(pair) == 2 and not {place + 2, place + 3} & splits:
                self._replace(pair, pair[0].first, pair[1].end)
        self._open = sorted(
            (shard for shard in self.all.values() if not shard.closed), key=lambda s: s.first
        )
        return len(self.all) - known

    def _replace(self, parents: list[SimulatedShard], *bounds: int) -> None:
        for parent in parents:
            parent.closed = True
        ids = tuple(parent.shard.id for parent in parents)
        for first, end in itertools.pairwise(bounds):
            self._make(first, end, ids)

    def _make(self, first: int, end: int, parents: tuple[str, ...]) -> SimulatedShard:
        shard = SimulatedShard(Shard(f"shardId-{len(self.all):012d}", parents), first, end)
        self.all[shard.shard.id] = shard
        return shard

    def _place(self, product: int) -> int:
        key = self._hashes.get(product)
        if key is None:
            digest = hashlib.md5(f"P{product}".encode(), usedforsecurity=False).digest()
            key = self._hashes[product] = int.from_bytes(digest, "big")
        return bisect_right(self._open, key, key=lambda shard: shard.first) - 1


TRANSACTIONAL = 2
"""Units of an item of a transaction, for each KB begun."""


Item = dict[str, Any]
Key = tuple[str, str]
"""The table and the product."""


class CancelledError(ClientError):
    """TransactionCanceledException, as boto3 raises it."""


class Table:
    """The client that the function's store is given. Units are counted second by second."""

    def __init__(
        self,
        clock: Clock,
        quota: Callable[[float], float],
        stocked: Callable[[Key], Item | None] = lambda key: None,
        key_quota: float = 1_000,
    ) -> None:
        """`stocked` is what was there from the beginning. The quotas are write units a second: of
        the table, by time, and of one partition key."""
        self.exceptions = SimpleNamespace(TransactionCanceledException=CancelledError)
        self.items: dict[Key, Item | None] = {}
        """What was written; None is an item that was deleted."""
        self.throttled: Counter[str] = Counter()
        self.busiest: Counter[int] = Counter()
        self._by_key: Counter[tuple[str, str, int]] = Counter()
        self._clock, self._stocked = clock, stocked
        self._quota, self._key_quota = quota, key_quota

    def item(self, key: Key) -> Item | None:
        return self.items[key] if key in self.items else self._stocked(key)

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        self._clock.sleep(capacity.READ_SECONDS)
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
        self._clock.sleep(capacity.WRITE_SECONDS)
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
        if self.busiest[second] + total > self._quota(self._clock.now):
            self.throttled["table"] += 1
            raise ClientError(
                {"Error": {"Code": "ThrottlingException", "Message": "the table's units"}},
                "TransactWriteItems",
            )
        hot = {k for k, n in cost.items() if self._by_key[*k, second] + n > self._key_quota}
        if hot:
            self.throttled["key"] += len(hot)
            _cancel([{"Code": "ThrottlingError" if k in hot else "None"} for k in cost])
        for key, units in cost.items():
            self._by_key[*key, second] += units
        self.busiest[second] += total

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
