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

from iam.evaluation import Need
from provisioner.account import Account

Parameters = Mapping[str, Any]

# An action is called as the operation is, in a service that is called as its API, but for these.
_PREFIXES = {"dynamodbstreams": "dynamodb", "resourcegroupstaggingapi": "tag"}
_ACTIONS = {
    "sns:PublishBatch": ["sns:Publish"],
    "sqs:SendMessageBatch": ["sqs:SendMessage"],
    "sqs:DeleteMessageBatch": ["sqs:DeleteMessage"],
    "sqs:ChangeMessageVisibilityBatch": ["sqs:ChangeMessageVisibility"],
    "lambda:Invoke": ["lambda:InvokeFunction"],
    # It answers with the tags only for who may list them.
    "lambda:GetFunction": ["lambda:GetFunction", "lambda:ListTags"],
}

# What making something with tags, or with attributes, asks for besides.
_TAGGING = {
    "kinesis:CreateStream": "kinesis:AddTagsToStream",
    "dynamodb:CreateTable": "dynamodb:TagResource",
    "sqs:CreateQueue": "sqs:TagQueue",
    "sns:CreateTopic": "sns:TagResource",
    "logs:CreateLogGroup": "logs:TagResource",
    "iam:CreateRole": "iam:TagRole",
    "lambda:CreateFunction": "lambda:TagResource",
    "lambda:CreateEventSourceMapping": "lambda:TagResource",
    "pipes:CreatePipe": "pipes:TagResource",
    "cloudwatch:PutMetricAlarm": "cloudwatch:TagResource",
}
_PASSES = {
    "lambda:CreateFunction": ("Role", "lambda.amazonaws.com"),
    "lambda:UpdateFunctionConfiguration": ("Role", "lambda.amazonaws.com"),
    "pipes:CreatePipe": ("RoleArn", "pipes.amazonaws.com"),
    "pipes:UpdatePipe": ("RoleArn", "pipes.amazonaws.com"),
}
_ON_ALL = {
    "kinesis:UpdateShardCount",
    "dynamodb:ListStreams",
    "logs:DescribeLogGroups",
    "lambda:ListEventSourceMappings",
    "lambda:CreateEventSourceMapping",
    "tag:GetResources",
    "cloudwatch:GetMetricData",
}
_ASKED_OF_NOBODY = {"sts:GetCallerIdentity"}


@dataclass
class Requests:
    """What the calls of one account ask for; `hear` tells it what was answered.

    Some calls name their resource by what an earlier one answered: an iterator, a mapping's id.
    """

    account: Account
    _iterators: dict[str, str] = field(default_factory=dict)
    _mapped: dict[str, str] = field(default_factory=dict)

    def needs(self, service: str, operation: str, given: Parameters) -> list[Need]:
        called = f"{_PREFIXES.get(service, service)}:{operation}"
        if called in _ASKED_OF_NOBODY:
            return []
        needs = list(self._of_call(called, given))
        here = {"aws:RequestedRegion": self.account.region}
        return [replace(need, context={**here, **need.context}) for need in needs]

    def hear(self, service: str, operation: str, given: Parameters, answer: Parameters) -> None:
        if operation in ("GetShardIterator", "GetRecords"):
            found = answer.get("ShardIterator") or answer.get("NextShardIterator")
            if found:
                self._iterators[found] = self._resource(service, given)
        for mapping in (answer, *answer.get("EventSourceMappings", ())):
            if service == "lambda" and "UUID" in mapping:
                self._mapped[mapping["UUID"]] = mapping["FunctionArn"]

    def _of_call(self, called: str, given: Parameters) -> Iterator[Need]:
        service, _, operation = called.partition(":")
        if operation == "TransactWriteItems":
            for item in given["TransactItems"]:
                [(kind, what)] = item.items()
                name = {"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem"}
                yield Need(f"dynamodb:{name.get(kind, 'ConditionCheckItem')}", self._table(what))
            return
        if operation == "BatchGetItem":
            for table in given["RequestItems"]:
                yield Need(called, self._table({"TableName": table}))
            return
        resources = ["*"] if called in _ON_ALL else self._resources(service, given)
        context = self._context(called, given)
        for resource in resources:
            for action in _ACTIONS.get(called, [called]):
                yield Need(action, resource, context)
            yield from self._besides(called, given, resource)

    def _besides(self, called: str, given: Parameters, resource: str) -> Iterator[Need]:
        tags = given.get("Tags") or given.get("tags")
        if tags and called in _TAGGING:
            yield Need(_TAGGING[called], self._to_tag(called, resource), _request_tags(tags))
        if called in _PASSES:
            parameter, to = _PASSES[called]
            yield Need("iam:PassRole", given[parameter], {"iam:PassedToService": to})
        if called == "sns:CreateTopic" and given.get("Attributes"):
            yield Need("sns:SetTopicAttributes", resource)
        if called == "kinesis:StartStreamEncryption":
            key = given["KeyId"]
            own = key.startswith("arn:")
            yield Need(called, key if own else self.account.arn("kms", "key/aws-made-this-one"))
            if own:
                yield self._on_key("DescribeKey", key, "kinesis")
        if called in ("dynamodb:CreateTable", "dynamodb:UpdateTable"):
            key = given.get("SSESpecification", {}).get("KMSMasterKeyId")
            for name in ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"):
                if key:
                    yield self._on_key(name, key, "dynamodb")

    def _on_key(self, name: str, key: str, service: str) -> Need:
        return Need(f"kms:{name}", key, {"kms:ViaService": self.account.endpoint(service)})

    def _context(self, called: str, given: Parameters) -> dict[str, str]:
        if called == "lambda:CreateEventSourceMapping":
            arn = self.account.arn("lambda", f"function:{given['FunctionName']}")
            return {"lambda:FunctionArn": arn}
        if "UUID" in given:
            return {"lambda:FunctionArn": self._mapped[given["UUID"]]}
        return _request_tags(given["Tags"]) if given.get("Tags") else {}

    def _to_tag(self, called: str, resource: str) -> str:
        if called == "lambda:CreateEventSourceMapping":
            return self.account.arn("lambda", "event-source-mapping:to-be-made")
        return resource.removesuffix(":log-stream:")

    def _resources(self, service: str, given: Parameters) -> list[str]:
        if "AlarmNames" in given:
            return [self.account.arn("cloudwatch", f"alarm:{n}") for n in given["AlarmNames"]]
        if "DashboardNames" in given:
            return [_dashboard(self.account, name) for name in given["DashboardNames"]]
        return [self._resource(service, given)]

    def _resource(self, service: str, given: Parameters) -> str:
        if "ShardIterator" in given:
            return self._iterators[given["ShardIterator"]]
        if "Name" in given:
            return self.account.arn(
                service, f"{'pipe/' if service == 'pipes' else ''}{given['Name']}"
            )
        for parameter, build in _RESOURCES.items():
            if parameter in given:
                value: str = given[parameter]
                whole = value.startswith("arn:") and parameter != "SubscriptionArn"
                return value if whole else build(self.account, value)
        raise NotImplementedError(f"{service}: {json.dumps(sorted(given))}")

    def _table(self, given: Parameters) -> str:
        name: str = given["TableName"]
        return name if name.startswith("arn:") else self.account.arn("dynamodb", f"table/{name}")


def _named(service: str, prefix: str, suffix: str = "") -> Callable[[Account, str], str]:
    return lambda account, name: account.arn(service, f"{prefix}{name}{suffix}")


def _dashboard(account: Account, name: str) -> str:
    return f"arn:{account.partition}:cloudwatch::{account.id}:dashboard/{name}"


def _as_it_is(account: Account, arn: str) -> str:
    return arn


# How the ARN of what a parameter names is made, in the order in which they are looked for.
_RESOURCES: Mapping[str, Callable[[Account, str], str]] = {
    "StreamName": _named("kinesis", "stream/"),
    "TableName": _named("dynamodb", "table/"),
    "QueueUrl": lambda account, url: account.arn("sqs", url.rpartition("/")[2]),
    "QueueName": _named("sqs", ""),
    "SubscriptionArn": lambda account, arn: arn.rpartition(":")[0],  # its topic's
    # What IAM is asked for names the streams of the group, of which it means none.
    "logGroupName": _named("logs", "log-group:", ":log-stream:"),
    "RoleName": lambda account, name: account.role_arn(name),
    "UUID": _named("lambda", "event-source-mapping:"),
    "FunctionName": _named("lambda", "function:"),
    "AlarmName": _named("cloudwatch", "alarm:"),
    "DashboardName": _dashboard,
    **dict.fromkeys(("StreamArn", "StreamARN", "TopicArn", "PolicySourceArn"), _as_it_is),
    **dict.fromkeys(("ResourceArn", "ResourceARN", "resourceArn", "Resource"), _as_it_is),
}


def _request_tags(tags: Any) -> dict[str, str]:
    pairs = tags.items() if isinstance(tags, Mapping) else ((t["Key"], t["Value"]) for t in tags)
    return {f"aws:RequestTag/{key}": value for key, value in pairs}
