"""What IAM asks of a call: which actions, on which resources, and what it knows of the request.

From the Service Authorization Reference and the pages of each operation, not from our policies: the
two are held against each other.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import template
from iam.evaluation import Need

Parameters = Mapping[str, Any]

# An action is called as the operation is, in a service that is called as its API, but for these.
_PREFIXES = {"dynamodbstreams": "dynamodb"}
_ACTIONS = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:ListObjectsV2": "s3:ListBucket",
}
_ON_ALL = {"dynamodb:ListStreams", "cloudwatch:GetMetricData"}
_ASKED_OF_NOBODY = {"sts:GetCallerIdentity"}


@dataclass
class Requests:
    """What calls ask for; `hear` tells it what was answered.

    Some calls name their resource by what an earlier one answered: an iterator.
    """

    _iterators: dict[str, str] = field(default_factory=dict)

    def needs(self, service: str, operation: str, given: Parameters) -> list[Need]:
        called = f"{_PREFIXES.get(service, service)}:{operation}"
        if called in _ASKED_OF_NOBODY:
            return []
        here = {"aws:RequestedRegion": template.REGION}
        return [replace(need, context=here) for need in self._of_call(called, given)]

    def hear(self, service: str, operation: str, given: Parameters, answer: Parameters) -> None:
        if operation in ("GetShardIterator", "GetRecords"):
            found = answer.get("ShardIterator") or answer.get("NextShardIterator")
            if found:
                self._iterators[found] = self._resource(service, given)

    def _of_call(self, called: str, given: Parameters) -> Iterator[Need]:
        service, _, operation = called.partition(":")
        if operation == "TransactWriteItems":
            for item in given["TransactItems"]:
                [(kind, what)] = item.items()
                name = {"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem"}
                table = _TABLE(what["TableName"])
                yield Need(f"dynamodb:{name.get(kind, 'ConditionCheckItem')}", table)
        elif operation == "BatchGetItem":
            for table in given["RequestItems"]:
                yield Need(called, _TABLE(table))
        else:
            resource = "*" if called in _ON_ALL else self._resource(service, given)
            yield Need(_ACTIONS.get(called, called), resource)

    def _resource(self, service: str, given: Parameters) -> str:
        if "ShardIterator" in given:
            return self._iterators[given["ShardIterator"]]
        if "Key" in given and "Bucket" in given:
            return f"arn:aws:s3:::{given['Bucket']}/{given['Key']}"
        for parameter, build in _RESOURCES.items():
            if parameter in given:
                value: str = given[parameter]
                return value if value.startswith("arn:") else build(value)
        raise NotImplementedError(f"{service}: {json.dumps(sorted(given))}")


def _named(service: str, prefix: str = "", suffix: str = "") -> Callable[[str], str]:
    return lambda name: template.arn(service, f"{prefix}{name}{suffix}")


_TABLE = _named("dynamodb", "table/")

# How the ARN of what a parameter names is made, in the order in which they are looked for.
_RESOURCES: Mapping[str, Callable[[str], str]] = {
    "StreamName": _named("kinesis", "stream/"),
    "TableName": _TABLE,
    "QueueUrl": lambda url: template.arn("sqs", url.rpartition("/")[2]),
    "QueueName": _named("sqs"),
    # What IAM is asked for names the streams of the group, of which it means none.
    "logGroupName": _named("logs", "log-group:", ":log-stream:"),
    "FunctionName": _named("lambda", "function:"),
    "StackName": _named("cloudformation", "stack/", "/its-id"),
    "Bucket": lambda name: f"arn:aws:s3:::{name}",
    "Name": _named("pipes", "pipe/"),
    **dict.fromkeys(("StreamArn", "StreamARN", "TopicArn"), str),
}
