"""A clock that moves only when somebody waits, and a DynamoDB and an SNS that are down by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from processor.calls import Deadline
from processor.writes import Tables

URL = "http://dynamodb"
TABLES = Tables("table", "removals")


def refused(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Call")


class CancelledError(ClientError):
    """What boto3 calls TransactionCanceledException."""

    def __init__(self, reasons: list[dict[str, Any]]) -> None:
        response: Any = {
            "Error": {"Code": "TransactionCanceledException"},
            "CancellationReasons": reasons,
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        super().__init__(response, "TransactWriteItems")


TRANSIENT: list[Exception] = [
    refused("ProvisionedThroughputExceededException", 400),
    refused("ThrottlingException", 400),
    refused("RequestLimitExceeded", 400),
    refused("InternalServerError", 500),
    refused("", 503),
    EndpointConnectionError(endpoint_url=URL),
    ConnectTimeoutError(endpoint_url=URL),
    ReadTimeoutError(endpoint_url=URL),
]
LASTING: list[Exception] = [
    refused("ValidationException", 400),
    refused("AccessDeniedException", 400),
    refused("ResourceNotFoundException", 400),
    refused("ConditionalCheckFailedException", 400),
]


@dataclass
class Time:
    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def deadline_in(self, seconds: float) -> Deadline:
        return Deadline(self.now + seconds, lambda: self.now, self.sleep, lambda: 0.0)


@dataclass
class Service:
    """Calls take `call_seconds`; until `up_at` each ends in `error`, and was carried out all the
    same where `answers_lost`."""

    time: Time
    up_at: float = 0.0
    error: Exception = field(default_factory=lambda: refused("InternalServerError", 500))
    call_seconds: float = 0.0
    answers_lost: bool = False
    calls: int = 0

    def _carry_out(self, call: Callable[[], Any]) -> Any:
        self.calls += 1
        down = self.time.now < self.up_at
        answer = call() if not down or self.answers_lost else None
        self.time.now += self.call_seconds
        if down:
            raise self.error
        return answer


@dataclass
class FakeDynamoDB(Service):
    """The rows and the markers of removals, by product id; which products are throttled, by how
    many more requests."""

    items: dict[str, Any] = field(default_factory=dict)
    removals: dict[str, Any] = field(default_factory=dict)
    throttled: dict[str, int] = field(default_factory=dict)

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 - AWS's name
        return self._carry_out(lambda: self._get(RequestItems))

    def transact_write_items(self, TransactItems: Any) -> Any:  # noqa: N803 - AWS's name
        return self._carry_out(lambda: self._transact(TransactItems))

    def _get(self, request: Any) -> Any:
        [(table, wanted)] = request.items()
        items = self._table({"TableName": table})
        names = [key["product_id"]["S"] for key in wanted["Keys"]]
        left = [
            {"product_id": {"S": name}}
            for name in names
            if items is self.items and self._throttles(name)
        ]
        names = [name for name in names if {"product_id": {"S": name}} not in left]
        return {
            "Responses": {table: [items[name] for name in names if name in items]},
            "UnprocessedKeys": {table: {"Keys": left}} if left else {},
        }

    def _transact(self, writes: list[Any]) -> Any:
        reasons = [self._obstacle(write) for write in writes]
        if any(reason["Code"] != "None" for reason in reasons):
            raise CancelledError(reasons)
        for write in writes:
            [(kind, request)] = write.items()
            if kind == "Put":
                self._table(request)[_named(request)] = request["Item"]
            elif kind == "Update":
                item = self._table(request).get(_named(request), request["Key"])
                self._table(request)[_named(request)] = item | updated(request)
            elif kind == "Delete":
                self._table(request).pop(_named(request), None)
        return {}

    def _table(self, request: Any) -> dict[str, Any]:
        return {TABLES.rows: self.items, TABLES.removals: self.removals}[request["TableName"]]

    def _obstacle(self, write: Any) -> dict[str, Any]:
        [request] = write.values()
        name, table = _named(request), self._table(request)
        if table is self.items and self._throttles(name):
            return {"Code": "ThrottlingError"}
        item = table.get(name)
        number = None if item is None else item.get("sequence_number")
        values = request.get("ExpressionAttributeValues", {})
        match request["ConditionExpression"]:
            case "sequence_number = :read":
                holds = number == values[":read"]
            case "attribute_not_exists(sequence_number)":
                holds = number is None
            case "attribute_not_exists(product_id) OR sequence_number <= :known":
                holds = item is None or item["sequence_number"]["S"] <= values[":known"]["S"]
            case unknown:
                raise AssertionError(f"unknown to this fake: {unknown}")
        if holds:
            return {"Code": "None"}
        return {"Code": "ConditionalCheckFailed"} | ({"Item": item} if item else {})

    def _throttles(self, name: str) -> bool:
        self.throttled[name] = self.throttled.get(name, 0) - 1
        return self.throttled[name] >= 0


def updated(request: Any) -> dict[str, Any]:
    """The attributes that an update sets."""
    values = request["ExpressionAttributeValues"]
    return {name: values[f":{name}"] for name in request["ExpressionAttributeNames"].values()}


def _named(request: Any) -> str:
    name: str = (request.get("Item") or request["Key"])["product_id"]["S"]
    return name


@dataclass
class FakeSns(Service):
    """A topic; what it says of each message until it takes it."""

    published: list[str] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)

    def publish_batch(
        self,
        TopicArn: str,  # noqa: N803 - AWS's name
        PublishBatchRequestEntries: Any,  # noqa: N803 - AWS's name
    ) -> Any:
        return self._carry_out(lambda: self._publish(PublishBatchRequestEntries))

    def _publish(self, entries: Any) -> Any:
        refusals, self.refusals = self.refusals, []
        refused_ids = {refusal["Id"] for refusal in refusals}
        self.published += [e["Message"] for e in entries if e["Id"] not in refused_ids]
        return {"Failed": refusals}
