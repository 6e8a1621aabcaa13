"""Paid orders of a stream, through a pipe, to a queue.

It needs boto3, and finds the emulator and the Pipes service where the variables of the AWS SDKs
say they are: AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_PIPES. Everything that it makes has a name of
its own, so that it can run again and again.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import boto3

ORDERS: list[dict[str, Any]] = [
    {"id": "A-1", "status": "paid", "total": 12.5},
    {"id": "A-2", "status": "cancelled", "total": 99},
    {"id": "A-3", "status": "paid", "total": 7},
]

kinesis, sqs, pipes = boto3.client("kinesis"), boto3.client("sqs"), boto3.client("pipes")
name = f"orders-{uuid.uuid4().hex[:8]}"

kinesis.create_stream(StreamName=name, ShardCount=1)
kinesis.get_waiter("stream_exists").wait(StreamName=name)
stream = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
url = sqs.create_queue(QueueName=name)["QueueUrl"]
queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
    "QueueArn"
]
account = queue.split(":")[4]

pipes.create_pipe(
    Name=name,
    RoleArn=f"arn:aws:iam::{account}:role/pipe",
    Source=stream,
    SourceParameters={
        "KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10},
        "FilterCriteria": {"Filters": [{"Pattern": '{"data": {"status": ["paid"]}}'}]},
    },
    Target=queue,
    TargetParameters={"InputTemplate": '{"order": <$.data.id>, "total": <$.data.total>}'},
)
while (pipe := pipes.describe_pipe(Name=name))["CurrentState"] == "CREATING":
    time.sleep(0.1)
print(f"pipe {name} is {pipe['CurrentState']}")

for order in ORDERS:
    kinesis.put_record(StreamName=name, PartitionKey=order["id"], Data=json.dumps(order))
    print("put ", order)

paid = sum(order["status"] == "paid" for order in ORDERS)
deadline = time.monotonic() + 30
while paid and time.monotonic() < deadline:
    for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
        print("came", message["Body"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        paid -= 1

pipes.delete_pipe(Name=name)
sqs.delete_queue(QueueUrl=url)
kinesis.delete_stream(StreamName=name)
if paid:
    raise SystemExit(f"{paid} paid orders did not come")
