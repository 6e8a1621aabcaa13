"""The emulator of the embedded target, where a mapping waits for its batch."""

from __future__ import annotations

import io
import json
import uuid
import zipfile

from servers import AwsClient
from waiting import eventually

CODE = """
import json

def handler(event, context):
    print(json.dumps({"records": len(event["Records"])}))
"""


def test_what_is_written_within_the_window_comes_in_one_batch_and_a_full_one_at_once(
    aws: AwsClient,
) -> None:
    name = f"windows-{uuid.uuid4().hex[:10]}"
    dynamodb, functions, logs = aws("dynamodb"), aws("lambda"), aws("logs")
    stream = dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )["TableDescription"]["LatestStreamArn"]
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
    mapping = functions.create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        BatchSize=10,
        MaximumBatchingWindowInSeconds=1,
    )["UUID"]

    def batches() -> list[int]:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        lines = [e["message"] for e in events if e["message"].startswith("{")]
        return [json.loads(line)["records"] for line in lines]

    try:
        puts = [{"PutRequest": {"Item": {"id": {"S": str(number)}}}} for number in range(13)]
        dynamodb.batch_write_item(RequestItems={name: puts})
        eventually(lambda: sum(batches()) == 13, timeout=30)
        assert batches() == [10, 3]
    finally:
        functions.delete_event_source_mapping(UUID=mapping)
        functions.delete_function(FunctionName=name)
        logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")
        dynamodb.delete_table(TableName=name)
