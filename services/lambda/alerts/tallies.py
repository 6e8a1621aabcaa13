"""The table `inventory_alerts`: what waits to be told of each cause, and when it may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alerts.cause import MAX_SAMPLES, Cause, Waiting
from alerts.limit import NEVER, Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Values = Mapping[str, Any]


class TalliesTable:
    """See `limiter.Tallies`: an item for each cause, under `cause`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, cause: Cause) -> Tally:
        answer = self._client.get_item(TableName=self._table, Key=_key(cause), ConsistentRead=True)
        return _tally(answer.get("Item", {}))

    def add(self, cause: Cause, waiting: Waiting) -> Tally:
        """Samples are kept as long as there are few of them."""
        count = "ADD waiting :count SET last_at = :last, first_at = if_not_exists(first_at, :first)"
        values = {
            ":count": _number(waiting.count),
            ":first": {"N": repr(waiting.first_at)},
            ":last": {"N": repr(waiting.last_at)},
        }
        samples = {
            ":none": {"L": []},
            ":samples": {"L": [{"S": json.dumps(s, ensure_ascii=False)} for s in waiting.samples]},
            ":most": _number(MAX_SAMPLES),
        }
        with_samples = f"{count}, samples = list_append(if_not_exists(samples, :none), :samples)"
        while True:
            item = self._update(
                cause,
                with_samples,
                "attribute_not_exists(samples) OR size(samples) < :most",
                values | samples,
            ) or self._update(
                cause, count, "size(samples) >= :most", values | {":most": samples[":most"]}
            )
            if item is not None:
                return _tally(item)
            # They were set aside in between, which made room.

    def mark(self, cause: Cause, seen: int, at: int) -> bool:
        still, values = _still("tick_at", seen)
        return self._did(cause, "SET tick_at = :at", still, {":at": at, **values})

    def forget(self, cause: Cause, at: int) -> bool:
        return self._did(
            cause, "REMOVE tick_at", "waiting = :none AND tick_at = :at", {":none": 0, ":at": at}
        )

    def claim(self, cause: Cause, seen: int, lease: int) -> Waiting | None:
        """Samples are set aside, which makes room for those of what comes meanwhile; where an
        earlier claim was not settled, its own are still there."""
        still, values = _still("quiet_until", seen)
        item = self._update(
            cause,
            "SET quiet_until = :lease, telling = list_append("
            "if_not_exists(telling, :none), if_not_exists(samples, :none)) REMOVE samples",
            still,
            {**_numbers({":lease": lease, **values}), ":none": {"L": []}},
        )
        return None if item is None else _waiting(item)

    def settle(self, cause: Cause, told: Waiting, lease: int, quiet_until: int) -> bool:
        return self._did(
            cause,
            "SET waiting = :none, quiet_until = :quiet REMOVE telling, first_at, last_at, tick_at",
            "waiting = :count AND quiet_until = :lease",
            {":none": 0, ":quiet": quiet_until, ":count": told.count, ":lease": lease},
        )

    def settle_part(
        self, cause: Cause, told: Waiting, lease: int, quiet_until: int, tick_at: int
    ) -> bool:
        return self._did(
            cause,
            "SET waiting = waiting - :count, quiet_until = :quiet, tick_at = :at, "
            "first_at = last_at REMOVE telling",
            "quiet_until = :lease",
            {":count": told.count, ":quiet": quiet_until, ":at": tick_at, ":lease": lease},
        )

    def _did(self, cause: Cause, change: str, condition: str, numbers: Mapping[str, int]) -> bool:
        return self._update(cause, change, condition, _numbers(numbers)) is not None

    def _update(
        self, cause: Cause, change: str, condition: str | None, values: Values
    ) -> dict[str, Any] | None:
        """The item after the change, None when the condition did not hold."""
        conditional: Any = {"ConditionExpression": condition} if condition else {}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(cause),
                UpdateExpression=change,
                ExpressionAttributeValues=dict(values),
                ReturnValues="ALL_NEW",
                **conditional,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return answer["Attributes"]


def _still(attribute: str, seen: int) -> tuple[str, dict[str, int]]:
    """The condition that it is as it was seen, and the values in it."""
    if seen == NEVER:
        return f"attribute_not_exists({attribute})", {}
    return f"{attribute} = :seen", {":seen": seen}


def _key(cause: Cause) -> dict[str, Any]:
    return {"cause": {"S": cause.key}}


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _numbers(values: Mapping[str, int]) -> Values:
    return {name: _number(value) for name, value in values.items()}


def _tally(item: Mapping[str, Any]) -> Tally:
    def number(name: str) -> int:
        return int(item.get(name, {"N": "0"})["N"])

    return Tally(number("waiting"), number("quiet_until"), number("tick_at"))


def _waiting(item: Mapping[str, Any]) -> Waiting:
    return Waiting(
        count=int(item["waiting"]["N"]),
        first_at=float(item["first_at"]["N"]),
        last_at=float(item["last_at"]["N"]),
        samples=[json.loads(sample["S"]) for sample in item["telling"]["L"][:MAX_SAMPLES]],
    )
