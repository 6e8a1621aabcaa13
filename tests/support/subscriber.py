"""Somebody who is subscribed to the topic for people, by a queue."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Alert = dict[str, Any]
Client = Callable[[str], Any]
"""Gives the client of a service."""


def subscribed(
    client: Client, topic: str, name: str, policy: Any = None
) -> Callable[[], list[Alert]]:
    """What has come so far: each alert's body, with its `subject` and its `attributes`.

    `policy` filters by attributes. What CloudWatch's alarms say is left out.
    """
    sqs, sns = client("sqs"), client("sns")
    url = sqs.create_queue(QueueName=f"{topic}-{name}")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(
        TopicArn=_arn(sns, topic),
        Protocol="sqs",
        Endpoint=queue["QueueArn"],
        Attributes={"FilterPolicy": json.dumps(policy)} if policy else {},
    )
    received: list[Alert] = []

    def look() -> list[Alert]:
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                notification = json.loads(message["Body"])
                if "AlarmName" not in json.loads(notification["Message"]):
                    received.append(_alert(notification))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return received

    return look


def _arn(sns: Any, name: str) -> str:
    pages = sns.get_paginator("list_topics").paginate()
    arns = [topic["TopicArn"] for page in pages for topic in page["Topics"]]
    [arn] = [arn for arn in arns if arn.endswith(f":{name}")]
    return str(arn)


def _alert(notification: dict[str, Any]) -> Alert:
    attributes = {name: each["Value"] for name, each in notification["MessageAttributes"].items()}
    told = {"subject": notification["Subject"], "attributes": attributes}
    return {**json.loads(notification["Message"]), **told}
