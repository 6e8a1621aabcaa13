"""The forms in which DynamoDB takes many guarded writes: how quick each is, and how much of it
the table's stream gets to see, on which audit log and dashboard live."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.figures import row, section, timed
from inventory.items import item_of
from inventory.stock import Row
from inventory_cli.context import Context
from processor.calls import Deadline
from processor.store import Store
from processor.writes import Change, ProductState, Tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import StreamSpecificationTypeDef
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

ITEMS = 1000

ROWS = [
    Row(f"P{n}", "Tablet", n, "2023-07-22 08:15:33", n + 1, (f"01JD9Z{n:020d}",))
    for n in range(ITEMS)
]


def measure(bench: Context) -> None:
    section(f"Forms of {ITEMS} guarded writes, one client: rows per second")
    client, streams = bench.clients.dynamodb, bench.clients.session.client("dynamodbstreams")
    for name, write in FORMS.items():
        tables = fresh_tables(client)
        seconds, _ = timed(partial(write, client, tables))
        found = _stream_records(client, streams, tables.rows)
        row(name, f"{ITEMS / seconds:.0f}", f"{found} on the table's stream")


def _one_by_one(client: DynamoDBClient, tables: Tables) -> None:
    for each in ROWS:
        client.put_item(
            TableName=tables.rows,
            Item=item_of(each),
            ConditionExpression="attribute_not_exists(sequence_number)",
        )


def _transactions(client: DynamoDBClient, tables: Tables) -> None:
    new = (Change(r.product_id, ProductState(), r) for r in ROWS)
    undone = Store(client, tables, ThreadPoolExecutor(1), Deadline(math.inf)).write(new)
    if undone:
        raise RuntimeError(f"{len(undone)} writes were not taken")


def _statements(client: DynamoDBClient, tables: Tables) -> None:
    attributes = list(item_of(ROWS[0]))
    values = ", ".join(f"'{attribute}': ?" for attribute in attributes)
    for part in _parts(25):
        answer = client.batch_execute_statement(
            Statements=[
                {
                    "Statement": f'INSERT INTO "{tables.rows}" VALUE {{{values}}}',
                    "Parameters": [item_of(row)[attribute] for attribute in attributes],
                }
                for row in part
            ]
        )
        if any("Error" in response for response in answer["Responses"]):
            raise RuntimeError("a statement was not taken")


def _unguarded(client: DynamoDBClient, tables: Tables) -> None:
    for part in _parts(25):
        left: Any = {tables.rows: [{"PutRequest": {"Item": item_of(row)}} for row in part]}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]


FORMS: dict[str, Callable[[DynamoDBClient, Tables], None]] = {
    "PutItem, one by one": _one_by_one,
    "TransactWriteItems, 50 new rows at a time, each with a check of its removal (ours)": (
        _transactions
    ),
    "BatchExecuteStatement, 25 at a time": _statements,
    "BatchWriteItem, 25 at a time (takes no condition)": _unguarded,
}


def _parts(size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, ITEMS, size):
        yield ROWS[start : start + size]


def _stream_records(client: DynamoDBClient, streams: DynamoDBStreamsClient, table: str) -> int:
    arn = client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    found = 0
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while records := (answer := streams.get_records(ShardIterator=iterator))["Records"]:
            found += len(records)
            iterator = answer["NextShardIterator"]
    return found


def fresh_tables(client: DynamoDBClient) -> Tables:
    """Empty tables like those of the pipeline."""
    return Tables(_fresh_table(client, stream=True), _fresh_table(client, stream=False))


def _fresh_table(client: DynamoDBClient, *, stream: bool) -> str:
    view: StreamSpecificationTypeDef = {"StreamEnabled": False}
    if stream:
        view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    name = f"bench-{uuid.uuid4().hex[:10]}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "product_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "product_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification=view,
    )
    client.get_waiter("table_exists").wait(TableName=name)
    return name
