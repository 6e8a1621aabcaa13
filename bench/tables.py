"""Tables to measure on."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from processor.writes import Tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import StreamSpecificationTypeDef


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
