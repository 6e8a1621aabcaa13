"""The table of the rows: reading them, and writing them guarded by what was read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from inventory.items import removal_of, row_of
from inventory.stock import Removal, Row
from inventory_aws.errors import is_transient, reason_of
from processor.patience import NO_TIME, ONE_TRY, Patience
from processor.writes import Change, Conflict, Tables, Unavailable, obstacle, requests_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

READ_AT_ONCE = 100
"""Keys of one BatchGetItem, the most that DynamoDB takes."""

WRITE_AT_ONCE = 100
"""Items of one TransactWriteItems, the most that DynamoDB takes."""

Write = tuple[Change, Sequence[Any]]
"""A change, and what it asks of TransactWriteItems."""


class Store:
    """Reads and writes rows, in as few calls as DynamoDB allows, a few calls at a time.

    What is unavailable for now is asked for again as long as its patience lasts; when that is
    over, no call begins, and what is left has the code NO_TIME or that of its last try.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        tables: Tables,
        concurrency: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        # Looked up here: a client makes its exceptions when first asked, for each thread its own.
        self._cancelled = client.exceptions.TransactionCanceledException
        self._tables = tables
        self._clock = clock
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="table")
        self._patience = ONE_TRY

    def with_patience(self, patience: Patience) -> Self:
        """The same store, for one invocation."""
        store = copy(self)
        store._patience = patience
        return store

    def read(self, product_ids: Iterable[str]) -> dict[str, Row | Unavailable | None]:
        """The row of each product (None: it has none), or that it could not be read."""
        read = partial(self._read, self._tables.rows, row_of)
        return self._together(read, chunks(product_ids, READ_AT_ONCE))

    def removals(self, product_ids: Iterable[str]) -> dict[str, Removal | Unavailable | None]:
        """The marker of each product's last removal, in the same way."""
        read = partial(self._read, self._tables.removals, removal_of)
        return self._together(read, chunks(product_ids, READ_AT_ONCE))

    def write(self, changes: Iterable[Change]) -> dict[str, Conflict | Unavailable]:
        """Carry out each change if its row is still as it was read; return those that were not.

        One TransactWriteItems takes many conditional writes, and says of each what stood against
        it. It is all or nothing, so what was cancelled along with another's conflict is sent again.
        """
        now = self._clock()
        writes = ((change, requests_of(change, self._tables, now)) for change in changes)
        return self._together(self._write, chunks(writes, WRITE_AT_ONCE, lambda w: len(w[1])))

    def _together(
        self, call: Callable[[Sequence[T]], dict[str, Any]], parts: Iterable[Sequence[T]]
    ) -> dict[str, Any]:
        calls = list(parts)
        answers = map(call, calls) if len(calls) == 1 else self._pool.map(call, calls)
        return {product_id: value for answer in answers for product_id, value in answer.items()}

    def _read(
        self, table: str, parse: Callable[[Any], Any], product_ids: Sequence[str]
    ) -> dict[str, Any]:
        items: dict[str, Any] = dict.fromkeys(product_ids)
        left: Sequence[str] = product_ids
        why = Unavailable(NO_TIME)
        tries = 0
        while self._patience.lasts:
            try:
                found, left = self._get(table, left)
            except (ClientError, BotoCoreError) as error:
                why = Unavailable(reason_of(error), is_transient(error))
            else:
                items |= {name: parse(item) for name, item in found.items()}
                why = Unavailable("UnprocessedKeys", transient=True)
            tries += 1
            if not left or not why.transient or not self._patience.wait(tries):
                break
        return items | dict.fromkeys(left, why)

    def _get(
        self, table: str, product_ids: Sequence[str]
    ) -> tuple[dict[str, dict[str, Any]], Sequence[str]]:
        """The items that were found, and the products that DynamoDB did not get to."""
        keys: list[Any] = [{"product_id": {"S": product_id}} for product_id in product_ids]
        answer = self._client.batch_get_item(
            RequestItems={table: {"Keys": keys, "ConsistentRead": True}}
        )
        items: Any = answer["Responses"].get(table, ())
        unprocessed: Any = answer["UnprocessedKeys"].get(table, {"Keys": ()})["Keys"]
        return {item["product_id"]["S"]: item for item in items}, [
            key["product_id"]["S"] for key in unprocessed
        ]

    def _write(self, writes: Sequence[Write]) -> dict[str, Conflict | Unavailable]:
        undone: dict[str, Conflict | Unavailable]
        undone = {change.product_id: Unavailable(NO_TIME) for change, _ in writes}
        left = writes
        tries = 0
        while left and self._patience.lasts:
            obstacles = self._transact(left)
            if obstacles is None:
                for change, _ in left:
                    del undone[change.product_id]
                left = []
            else:
                pairs = list(zip(left, obstacles, strict=True))
                undone |= {write[0].product_id: why for write, why in pairs if why is not None}
                left = [write for write, why in pairs if why is None]
            if not left:
                left = [w for w in writes if _is_transient(undone.get(w[0].product_id))]
                tries += 1
                if left and not self._patience.wait(tries):
                    break
        return undone

    def _transact(self, writes: Sequence[Write]) -> Sequence[Conflict | Unavailable | None] | None:
        """What stood against each change (None: only the others); None when all are done."""
        try:
            self._client.transact_write_items(
                TransactItems=[request for _, requests in writes for request in requests]
            )
        except self._cancelled as error:
            reasons: Any = iter(error.response["CancellationReasons"])
            obstacles = [
                obstacle(change, list(islice(reasons, len(requests))))
                for change, requests in writes
            ]
            if any(obstacles):
                return obstacles
            return [Unavailable("TransactionCanceled", transient=True)] * len(writes)
        except (ClientError, BotoCoreError) as error:
            return [Unavailable(reason_of(error), is_transient(error))] * len(writes)
        return None


def _is_transient(obstacle: Conflict | Unavailable | None) -> bool:
    return isinstance(obstacle, Unavailable) and obstacle.transient


def chunks(
    items: Iterable[T], size: int, weight: Callable[[T], int] = lambda item: 1
) -> Iterator[Sequence[T]]:
    """The items in their order, in parts that weigh no more than `size`."""
    part: list[T] = []
    load = 0
    for item in items:
        if load + weight(item) > size:
            yield part
            part, load = [], 0
        part.append(item)
        load += weight(item)
    if part:
        yield part
