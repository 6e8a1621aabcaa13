"""The emulator of the embedded target, where a mapping waits for its batch."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from servers import AwsClient
from waiting import eventually

CODE = """
import json

def handler(event, context):
    print(json.dumps({"records": len(event["Records"])}))
"""


@dataclass(frozen=True)
class Function:
    """A function that logs how many records each of its batches has."""

    aws: AwsClient
    name: str

    def read(self, source: str, **mapping: Any) -> str:
        mapped = self.aws("lambda").create_event_source_mapping(
            FunctionName=self.name,
            EventSourceArn=source,
            MaximumBatchingWindowInSeconds=1,
            **mapping,
        )
        return str(mapped["UUID"])

    def batches(self) -> list[int]:
        events = self.aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{self.name}")
        lines = [e["message"] for e in events["events"] if e["message"].startswith("{")]
        return [json.loads(line)["records"] for line in lines]


@pytest.fixture
def function(aws: AwsClient) -> Iterator[Function]:
    name = f"windows-{uuid.uuid4().hex[:10]}"
    functions, logs = aws("lambda"), aws("logs")
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("function.py", CODE)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/windows",
        Handler="function.handler",
        Code={"ZipFile": package.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    yield Function(aws, name)
    functions.delete_function(FunctionName=name)
    logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")


def test_what_is_written_within_the_window_comes_in_one_batch_and_a_full_one_at_once(
    aws: AwsClient, function: Function
) -> None:
    dynamodb, functions, name = aws("dynamodb"), aws("lambda"), function.name
    stream = dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )["TableDescription"]["LatestStreamArn"]
    mapping = function.read(stream, StartingPosition="TRIM_HORIZON", BatchSize=10)
    try:
        puts = [{"PutRequest": {"Item": {"id": {"S": str(number)}}}} for number in range(13)]
        dynamodb.batch_write_item(RequestItems={name: puts})
        eventually(lambda: sum(function.batches()) == 13, timeout=30)
        assert function.batches() == [10, 3]
    finally:
        functions.delete_event_source_mapping(UUID=mapping)
        dynamodb.delete_table(TableName=name)


def test_a_batch_of_a_queue_has_all_messages_of_its_window(
    aws: AwsClient, function: Function
) -> None:
    sqs, functions = aws("sqs"), aws("lambda")
    url = sqs.create_queue(QueueName=function.name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    mapping = function.read(attributes["QueueArn"], BatchSize=20)
    try:
        for first in (0, 10):
            numbers = range(first, min(first + 10, 13))
            entries = [{"Id": str(n), "MessageBody": str(n)} for n in numbers]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)
        eventually(lambda: sum(function.batches()) == 13, timeout=30)
        assert function.batches() == [13]
    finally:
        functions.delete_event_source_mapping(UUID=mapping)
        sqs.delete_queue(QueueUrl=url)
