"""The table `product_inventory`: reading rows, and writing them guarded by what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from inventory.event import NO_TIMESTAMP
from inventory.patience import NO_TIME, ONE_TRY, Patience
from inventory.stock import Row
from inventory.transience import code_of, is_transient, is_transient_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

T = TypeVar("T")

READ_AT_ONCE = 100
"""Keys of one BatchGetItem, the most that DynamoDB takes."""

WRITE_AT_ONCE = 100
"""Items of one TransactWriteItems, the most that DynamoDB takes."""

SEQUENCE_NUMBER_DIGITS = 56
"""As many as AWS gives; shorter ones are padded, so that they sort as texts."""


@dataclass(frozen=True, slots=True)
class Change:
    """The row of a product as it was read, and as it shall be; None is no row."""

    product_id: str
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """The row is no longer the one that was read; `row` is what is there now."""

    row: Row | None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """DynamoDB did not do it, for `code`; if that is transient, it may yet."""

    code: str
    transient: bool = field(default=False, compare=False)


class Store:
    """Reads and writes rows, in as few calls as DynamoDB allows, a few calls at a time.

    What is unavailable for now is asked for again as long as its patience lasts; when that is
    over, no call begins, and what is left has the code NO_TIME or that of its last try.
    """

    def __init__(self, client: DynamoDBClient, table: str, concurrency: int) -> None:
        self._client = client
        self._table = table
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="table")
        self._patience = ONE_TRY

    def with_patience(self, patience: Patience) -> Self:
        """The same store, for one invocation."""
        store = copy(self)
        store._patience = patience
        return store

    def read(self, product_ids: Iterable[str]) -> dict[str, Row | Unavailable | None]:
        """The row of each product (None: it has none), or that it could not be read."""
        return self._in_chunks(self._read, product_ids, READ_AT_ONCE)

    def write(self, changes: Iterable[Change]) -> dict[str, Conflict | Unavailable]:
        """Carry out each change if its row is still as it was read; return those that were not.

        One TransactWriteItems takes many conditional writes, and says of each what stood against
        it. It is all or nothing, so what was cancelled along with another's conflict is sent again.
        """
        return self._in_chunks(self._write, changes, WRITE_AT_ONCE)

    def _in_chunks(
        self, call: Callable[[Sequence[T]], dict[str, Any]], items: Iterable[T], size: int
    ) -> dict[str, Any]:
        chunks = list(_chunks(items, size))
        answers = map(call, chunks) if len(chunks) == 1 else self._pool.map(call, chunks)
        return {product_id: value for answer in answers for product_id, value in answer.items()}

    def _read(self, product_ids: Sequence[str]) -> dict[str, Row | Unavailable | None]:
        rows: dict[str, Row | Unavailable | None] = dict.fromkeys(product_ids)
        left: Sequence[str] = product_ids
        why = Unavailable(NO_TIME)
        tries = 0
        while self._patience.lasts:
            try:
                found, left = self._get(left)
            except (ClientError, BotoCoreError) as error:
                why = Unavailable(code_of(error), is_transient(error))
            else:
                rows |= found
                why = Unavailable("UnprocessedKeys", transient=True)
            tries += 1
            if not left or not why.transient or not self._patience.wait(tries):
                break
        return rows | dict.fromkeys(left, why)

    def _get(self, product_ids: Sequence[str]) -> tuple[dict[str, Row], Sequence[str]]:
        """The rows that were found, and the products that DynamoDB did not get to."""
        keys: list[Any] = [{"product_id": {"S": product_id}} for product_id in product_ids]
        answer = self._client.batch_get_item(
            RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
        )
        rows = [row_of(item) for item in answer["Responses"].get(self._table, ())]
        unprocessed: Any = answer["UnprocessedKeys"].get(self._table, {"Keys": ()})["Keys"]
        return {row.product_id: row for row in rows}, [
            key["product_id"]["S"] for key in unprocessed
        ]

    def _write(self, changes: Sequence[Change]) -> dict[str, Conflict | Unavailable]:
        undone: dict[str, Conflict | Unavailable]
        undone = {change.product_id: Unavailable(NO_TIME) for change in changes}
        left = changes
        tries = 0
        while left and self._patience.lasts:
            obstacles = self._transact(left)
            if obstacles is None:
                for change in left:
                    del undone[change.product_id]
                left = []
            else:
                pairs = list(zip(left, obstacles, strict=True))
                undone |= {change.product_id: why for change, why in pairs if why is not None}
                left = [change for change, why in pairs if why is None]
            if not left:
                left = [
                    change for change in changes if _is_transient(undone.get(change.product_id))
                ]
                tries += 1
                if left and not self._patience.wait(tries):
                    break
        return undone

    def _transact(
        self, changes: Sequence[Change]
    ) -> Sequence[Conflict | Unavailable | None] | None:
        """What stood against each change (None: only the others); None when all are done."""
        try:
            self._client.transact_write_items(
                TransactItems=[_conditional_write(self._table, change) for change in changes]
            )
        except self._client.exceptions.TransactionCanceledException as error:
            reasons: Any = error.response["CancellationReasons"]
            obstacles = [_obstacle(reason) for reason in reasons]
            if any(obstacles):
                return obstacles
            return [Unavailable("TransactionCanceled", transient=True)] * len(changes)
        except (ClientError, BotoCoreError) as error:
            return [Unavailable(code_of(error), is_transient(error))] * len(changes)
        return None


def row_of(item: dict[str, Any]) -> Row:
    """The row that an item of the table (as the DynamoDB API gives it) holds."""
    sequence_number = item.get("sequence_number", {}).get("S")
    return Row(
        product_id=item["product_id"]["S"],
        product_name=item.get("product_name", {}).get("S", "N/A"),
        quantity=int(Decimal(item.get("quantity", {}).get("N", "0"))),
        timestamp=item.get("timestamp", {}).get("S", NO_TIMESTAMP),
        sequence_number=None if sequence_number is None else int(sequence_number),
        recent_event_ids=tuple(e["S"] for e in item.get("recent_event_ids", {}).get("L", ())),
    )


def item_of(row: Row) -> dict[str, Any]:
    """The item of the table that holds a row; its sequence number sorts as a text."""
    item: dict[str, Any] = {
        "product_id": {"S": row.product_id},
        "product_name": {"S": row.product_name},
        "quantity": {"N": str(row.quantity)},
        "timestamp": {"S": row.timestamp},
        "recent_event_ids": {"L": [{"S": event_id} for event_id in row.recent_event_ids]},
    }
    if row.sequence_number is not None:
        item["sequence_number"] = {"S": padded(row.sequence_number)}
    return item


def padded(sequence_number: int) -> str:
    return f"{sequence_number:0{SEQUENCE_NUMBER_DIGITS}d}"


def _conditional_write(table: str, change: Change) -> TransactWriteItemTypeDef:
    write: Any = {"TableName": table, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if change.before is not None and change.before.sequence_number is not None:
        write["ConditionExpression"] = "sequence_number = :read"
        write["ExpressionAttributeValues"] = {":read": {"S": padded(change.before.sequence_number)}}
    else:
        write["ConditionExpression"] = "attribute_not_exists(sequence_number)"
    if change.after is None:
        return {"Delete": write | {"Key": {"product_id": {"S": change.product_id}}}}
    return {"Put": write | {"Item": item_of(change.after)}}


def _obstacle(reason: dict[str, Any]) -> Conflict | Unavailable | None:
    """Why a transaction could not do one of its writes; None if it could have."""
    match reason.get("Code"):
        case None | "None":
            return None
        case "ConditionalCheckFailed":
            item = reason.get("Item")
            return Conflict(row_of(item) if item else None)
        case code:
            return Unavailable(str(code), is_transient_code(str(code)))


def _is_transient(obstacle: Conflict | Unavailable | None) -> bool:
    return isinstance(obstacle, Unavailable) and obstacle.transient


def _chunks(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
