"""Parts of the pipeline in an account of moto's; programs run in this process under their roles."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

import template
from iam.deployment import Statement, an_account
from iam.enforcement import Answer, Enforcement
from inventory_aws.names import Names

NAMES = Names()
RESOURCES = template.resources()


@dataclass
class Stack:
    """`session` is that of somebody who may do all."""

    session: boto3.Session

    def messages(self, queue: str) -> list[str]:
        sqs = self.session.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", ())]


@contextmanager
def a_stack() -> Iterator[Stack]:
    """Its streams, tables, queues and topics; moto's CloudFormation knows no subscriptions."""
    with an_account():
        session = boto3.Session()
        for resource in RESOURCES.values():
            _create(session, resource["Type"], resource["Properties"])
        yield Stack(session)


def _create(session: boto3.Session, kind: str, given: Mapping[str, Any]) -> None:
    match kind:
        case "AWS::Kinesis::Stream":
            session.client("kinesis").create_stream(
                StreamName=given["Name"], ShardCount=int(given["ShardCount"])
            )
        case "AWS::DynamoDB::Table":
            keys = ("TableName", "KeySchema", "AttributeDefinitions", "BillingMode")
            changes = {"StreamEnabled": True, **given.get("StreamSpecification", {})}
            more = {"StreamSpecification": changes} if "StreamSpecification" in given else {}
            parameters: Any = {key: given[key] for key in keys} | more
            session.client("dynamodb").create_table(**parameters)
        case "AWS::SQS::Queue":
            session.client("sqs").create_queue(QueueName=given["QueueName"])
        case "AWS::SNS::Topic":
            session.client("sns").create_topic(Name=given["TopicName"])
        case "AWS::SNS::Subscription":
            session.client("sns").subscribe(
                TopicArn=given["TopicArn"],
                Protocol=given["Protocol"],
                Endpoint=given["Endpoint"],
                Attributes={"RawMessageDelivery": "true"},
            )


def of_role(logical_id: str) -> list[Statement]:
    [policy] = RESOURCES[logical_id]["Properties"]["Policies"]
    found: list[Statement] = policy["PolicyDocument"]["Statement"]
    return found


@contextmanager
def under(
    statements: list[Statement], answer: Answer = lambda operation, given: None
) -> Iterator[Enforcement]:
    somebody = Enforcement(statements, answer)
    with somebody.enforced():
        yield somebody


@contextmanager
def environment_of(function: str) -> Iterator[None]:
    """The variables of the function with this logical id."""
    with pytest.MonkeyPatch.context() as patch:
        variables = RESOURCES[function]["Properties"]["Environment"]["Variables"]
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


class Invocation:
    aws_request_id = "one"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def from_the_pipe(number: int, event: Mapping[str, Any]) -> dict[str, Any]:
    """A record as a pipe hands it over."""
    return {
        "eventID": f"shardId-000000000000:{number}",
        "sequenceNumber": str(number),
        "data": base64.b64encode(json.dumps(event).encode()).decode(),
        "partitionKey": event["product"]["product_id"],
        "approximateArrivalTimestamp": time.time(),
    }
