"""IAM policy documents: who may do exactly what to exactly which resource."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

Statement = Mapping[str, Any]
Conditions = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, eq=False)
class Policy:
    """A policy document. Two are equal when they mean the same, however they are written."""

    document: Mapping[str, Any]

    @classmethod
    def of(cls, *statements: Statement) -> Self:
        return cls({"Version": "2012-10-17", "Statement": list(statements)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(json.loads(text))

    def to_json(self) -> str:
        return json.dumps(self.document)

    @property
    def statements(self) -> Sequence[Statement]:
        statements: Sequence[Statement] = self.document["Statement"]
        return statements

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and _canonical(self.document) == _canonical(other.document)

    def __hash__(self) -> int:
        return hash(json.dumps(_canonical(self.document), sort_keys=True))


def allow(actions: Sequence[str], resource: str) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def trust(service: str, conditions: Conditions) -> Policy:
    """Lets `service` assume the role, on behalf of those alone that `conditions` name."""
    return Policy.of(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": conditions,
        }
    )


def function_access(table: str, topic: str, log_group: str) -> Policy:
    """What the function does; TransactWriteItems is authorised as the writes it is made of."""
    return Policy.of(
        allow(
            [
                "dynamodb:BatchGetItem",
                "dynamodb:PutItem",
                "dynamodb:DeleteItem",
            ],
            table,
        ),
        allow(["sns:Publish"], topic),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group}:*"),
    )


def pipe_access(stream: str, function: str, dead_letter_queue: str) -> Policy:
    """What a pipe needs for a Kinesis source, a Lambda target and an SQS dead-letter queue.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html has two more
    for Kinesis: ListStreams, which can be granted on "*" only, and SubscribeToShard, which is for
    consumers with enhanced fan-out. A pipe that is given its stream by ARN needs neither.
    """
    return Policy.of(
        allow(
            [
                "kinesis:DescribeStream",
                "kinesis:DescribeStreamSummary",
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:ListShards",
            ],
            stream,
        ),
        allow(["lambda:InvokeFunction"], function),
        allow(["sqs:SendMessage"], dead_letter_queue),
    )


def queue_policy(queue: str, topic: str) -> Policy:
    """Lets exactly this topic send to the queue."""
    return Policy.of(
        {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
    )


def _canonical(node: Any) -> Any:
    """A list of one is its element, and the order of strings in a list has no meaning to IAM."""
    if isinstance(node, Mapping):
        return {key: _canonical(value) for key, value in node.items()}
    if isinstance(node, list):
        items = [_canonical(item) for item in node]
        if len(items) == 1:
            return items[0]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return node
