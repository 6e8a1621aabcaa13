"""What the tests against the emulator share."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from processor.writes import Tables
from servers import AwsClient


@pytest.fixture
def tables(aws: AwsClient) -> Tables:
    """Empty tables of their own, as the template has them."""
    suffix = uuid.uuid4().hex[:12]
    tables = Tables(f"inventory-{suffix}", f"removals-{suffix}")
    view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    for name, stream in ((tables.rows, view), (tables.removals, {"StreamEnabled": False})):
        aws("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "product_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "product_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=stream,
        )
        aws("dynamodb").get_waiter("table_exists").wait(TableName=name)
    return tables


@pytest.fixture
def table(tables: Tables) -> str:
    """The one with the rows."""
    return tables.rows


@pytest.fixture
def rejections(aws: AwsClient) -> tuple[str, Callable[[], list[str]]]:
    """A topic, and a function that drains the queue subscribed to it."""
    name = f"inventory-{uuid.uuid4().hex[:12]}"
    topic: str = aws("sns").create_topic(Name=name)["TopicArn"]
    sqs = aws("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    aws("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )

    def drain() -> list[str]:
        messages = []
        while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                messages.append(message["Body"])
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return messages

    return topic, drain
