"""The inventory table: reads rows, and writes each if it has not changed since."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from inventory.items import removal_of, row_of
from inventory.stock import is_guarded
from processor.calls import NO_TIME, Deadline, Unavailable, chunks, retried
from processor.writes import Change, ProductState, Tables, problem_of, requests_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

MAX_ITEMS = 100
"""Of one BatchGetItem or TransactWriteItems, the most that DynamoDB accepts."""

Write = tuple[Change, Sequence[Any]]
"""A change, and its requests in TransactWriteItems."""

Problems = dict[str, ProductState | Unavailable]


@dataclass(frozen=True, slots=True)
class Store:
    """Reads and writes in as few calls as DynamoDB allows, several at a time in `pool`."""

    client: DynamoDBClient
    tables: Tables
    pool: Executor
    deadline: Deadline
    clock: Callable[[], float] = time.time

    def read(self, product_ids: Iterable[str]) -> dict[str, ProductState | Unavailable]:
        """Return the row of each product. If none guards the product, its last removal does."""
        rows = self._read(self.tables.rows, row_of, product_ids)
        unguarded = [
            product_id
            for product_id, row in rows.items()
            if not isinstance(row, Unavailable) and not is_guarded(row)
        ]
        removals = self._read(self.tables.removals, removal_of, unguarded)
        states: dict[str, ProductState | Unavailable] = {}
        for product_id, row in rows.items():
            removed = removals.get(product_id)
            if isinstance(row, Unavailable):
                states[product_id] = row
            elif isinstance(removed, Unavailable):
                states[product_id] = removed
            else:
                states[product_id] = ProductState(row, removed)
        return states

    def write(self, changes: Iterable[Change]) -> Problems:
        """Make each change if the product is still in the state that was read.

        Return why changes were not made: an error, or the state that the product has now.
        """
        now = self.clock()
        writes = ((change, requests_of(change, self.tables, now)) for change in changes)
        return self._in_parallel(self._write, chunks(writes, MAX_ITEMS, lambda each: len(each[1])))

    def _in_parallel(
        self, call: Callable[[Sequence[T]], dict[str, Any]], chunks: Iterable[Sequence[T]]
    ) -> dict[str, Any]:
        parts = list(chunks)
        answers = map(call, parts) if len(parts) == 1 else self.pool.map(call, parts)
        return {product_id: value for answer in answers for product_id, value in answer.items()}

    def _read(
        self, table: str, parse: Callable[[Any], T], product_ids: Iterable[str]
    ) -> dict[str, T | Unavailable | None]:
        read = partial(self._read_chunk, table, parse)
        return self._in_parallel(read, chunks(product_ids, MAX_ITEMS))

    def _read_chunk(
        self, table: str, parse: Callable[[Any], T], product_ids: Sequence[str]
    ) -> dict[str, T | Unavailable | None]:
        found: dict[str, T | None] = dict.fromkeys(product_ids)

        def get(left: Mapping[str, object]) -> dict[str, Unavailable]:
            keys: list[Any] = [{"product_id": {"S": product_id}} for product_id in left]
            try:
                answer = self.client.batch_get_item(
                    RequestItems={table: {"Keys": keys, "ConsistentRead": True}}
                )
            except (ClientError, BotoCoreError) as error:
                return dict.fromkeys(left, Unavailable.because_of(error))
            items: Any = answer["Responses"].get(table, ())
            found.update({item["product_id"]["S"]: parse(item) for item in items})
            unprocessed: Any = answer["UnprocessedKeys"].get(table, {"Keys": ()})["Keys"]
            why = Unavailable("UnprocessedKeys", transient=True)
            return {key["product_id"]["S"]: why for key in unprocessed}

        problems = retried(get, found, self.deadline)
        return {**found, **problems}

    def _write(self, writes: Sequence[Write]) -> Problems:
        items = {write[0].product_id: write for write in writes}
        return retried(self._transact_until_done, items, self.deadline)

    def _transact_until_done(self, writes: Mapping[str, Write]) -> Problems:
        """A transaction makes all changes or none. So changes without a problem of their own are
        sent again, without those that have one."""
        problems: Problems = {}
        left = dict(writes)
        while left:
            if self.deadline.has_passed:
                return problems | dict.fromkeys(left, Unavailable(NO_TIME))
            found = self._transact(left.values())
            problems |= found
            left = {key: left[key] for key in left if found and key not in found}
        return problems

    def _transact(self, writes: Iterable[Write]) -> Problems:
        """Return the problems of the changes, or none if all are made."""
        try:
            self.client.transact_write_items(
                TransactItems=[request for _, requests in writes for request in requests]
            )
        except (ClientError, BotoCoreError) as error:
            why = Unavailable.because_of(error)
            problems: Problems = {}
            if isinstance(error, ClientError) and "CancellationReasons" in error.response:
                why = Unavailable("TransactionCanceled", transient=True)
                reasons: Any = iter(error.response["CancellationReasons"])
                for change, requests in writes:
                    if problem := problem_of(change, list(islice(reasons, len(requests)))):
                        problems[change.product_id] = problem
            return problems or {change.product_id: why for change, _ in writes}
        return {}


def refuse_damaged(**event: Any) -> None:
    """Raise HTTPClientError if a response of DynamoDB was damaged. botocore calls this before it
    parses a response.

    botocore takes a body that is not JSON for an empty response, which would say of a transaction
    that it succeeded. It does not check DynamoDB's checksum, either. Without a checksum, the body
    must at least be a JSON object.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
    """
    response: Mapping[str, Any] = event["response_dict"]
    if response["status_code"] == 200 and not _is_whole(response["headers"], response["body"]):
        raise HTTPClientError(error="the response was damaged")


def _is_whole(headers: Mapping[str, str], body: bytes) -> bool:
    checksum = headers.get("x-amz-crc32")
    if checksum is not None:
        return checksum == str(zlib.crc32(body))
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
