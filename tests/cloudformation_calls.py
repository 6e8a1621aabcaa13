"""A template and the calls of the provisioner in the same words, to compare them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from provisioner import Call
from provisioner.account import Account
from provisioner.calls import unknown_stream

Properties = dict[str, Any]
Resources = dict[tuple[str, str], Properties]
"""By CloudFormation's type and the name on AWS; the policy of a queue or a topic is its own."""

STREAM = ("AWS::Kinesis::Stream", "Name")
TABLE = ("AWS::DynamoDB::Table", "TableName")
QUEUE = ("AWS::SQS::Queue", "QueueName")
TOPIC = ("AWS::SNS::Topic", "TopicName")
LOG_GROUP = ("AWS::Logs::LogGroup", "LogGroupName")
ROLE = ("AWS::IAM::Role", "RoleName")
FUNCTION = ("AWS::Lambda::Function", "FunctionName")
PIPE = ("AWS::Pipes::Pipe", "Name")
SUBSCRIPTION = ("AWS::SNS::Subscription", "TopicArn", "Endpoint")
EVENT_SOURCE = ("AWS::Lambda::EventSourceMapping", "FunctionName", "EventSourceArn")
ALARM = ("AWS::CloudWatch::Alarm", "AlarmName")
DASHBOARD = ("AWS::CloudWatch::Dashboard", "DashboardName")
KINDS = (
    *(STREAM, TABLE, QUEUE, TOPIC, LOG_GROUP, ROLE, FUNCTION, PIPE),
    *(SUBSCRIPTION, EVENT_SOURCE, ALARM, DASHBOARD),
)
IDENTITY = {kind: names for kind, *names in KINDS}


# --- the provisioner's words ----------------------------------------------------------------------


def _table(given: Properties) -> Properties:
    stream = dict(given.pop("StreamSpecification"))
    encryption = dict(given.pop("SSESpecification"))
    if stream.pop("StreamEnabled"):
        given["StreamSpecification"] = stream
    given["SSESpecification"] = {"SSEEnabled": encryption.pop("Enabled"), **encryption}
    return given


def _attributes(given: Properties) -> Properties:
    """Attributes are texts, whatever they mean."""
    attributes = given.pop("Attributes", {})
    return {**given, **{name: _meant(text) for name, text in attributes.items()}}


def _meant(text: str) -> Any:
    """The number, the flag or the document that a text is, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _role(given: Properties) -> Properties:
    return {
        name: _meant(value) if isinstance(value, str) else value for name, value in given.items()
    }


def _role_policy(given: Properties) -> Properties:
    policy = {
        "PolicyName": given["PolicyName"],
        "PolicyDocument": json.loads(given["PolicyDocument"]),
    }
    return {"RoleName": given["RoleName"], "Policies": [policy]}


def _encryption(given: Properties) -> Properties:
    return {"Name": given.pop("Name"), "StreamEncryption": given}


def _function(given: Properties) -> Properties:
    return {name: value for name, value in given.items() if name != "Code"}


def _as_it_is(given: Properties) -> Properties:
    return given


OPERATIONS: Mapping[str, tuple[tuple[str, ...], Callable[[Properties], Properties]]] = {
    "CreateStream": (STREAM, _as_it_is),
    "StartStreamEncryption": (STREAM, _encryption),
    "CreateTable": (TABLE, _table),
    "UpdateTimeToLive": (TABLE, _as_it_is),
    "UpdateContinuousBackups": (TABLE, _as_it_is),
    "CreateQueue": (QUEUE, _attributes),
    "CreateTopic": (TOPIC, _attributes),
    "Subscribe": (SUBSCRIPTION, _attributes),
    "CreateLogGroup": (LOG_GROUP, _as_it_is),
    "PutRetentionPolicy": (LOG_GROUP, _as_it_is),
    "CreateRole": (ROLE, _role),
    "PutRolePolicy": (ROLE, _role_policy),
    "CreateFunction": (FUNCTION, _function),
    "CreateEventSourceMapping": (EVENT_SOURCE, _as_it_is),
    "CreatePipe": (PIPE, _as_it_is),
    "PutMetricAlarm": (ALARM, _as_it_is),
    "PutDashboard": (DASHBOARD, _as_it_is),
}
RENAMED = {
    ("CreateStream", "StreamName"): "Name",
    ("StartStreamEncryption", "StreamName"): "Name",
    ("CreateTopic", "Name"): "TopicName",
}


def of_calls(calls: Iterable[Call]) -> Resources:
    """What the calls make, each resource once, however many calls it takes."""
    found: Resources = {}
    for call in calls:
        if call.operation not in OPERATIONS:
            pytest.fail(
                f"{call.operation}: enter in OPERATIONS of tests/cloudformation_calls.py what it "
                "is in CloudFormation, and in KINDS what names a resource of that type"
            )
        (kind, *_), convert = OPERATIONS[call.operation]
        given = {
            RENAMED.get((call.operation, name), name[:1].upper() + name[1:]): value
            for name, value in call.parameters.items()
        }
        _enter(found, kind, convert(given))
    return found


# --- the template's words -------------------------------------------------------------------------

ARNS = {
    "AWS::Kinesis::Stream": ("kinesis", "stream/"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/"),
    "AWS::SQS::Queue": ("sqs", ""),
    "AWS::SNS::Topic": ("sns", ""),
    "AWS::Lambda::Function": ("lambda", "function:"),
}


def of_template(template: Mapping[str, Any], account: Account) -> Resources:
    """What the template makes in `account`."""
    bodies = template["Resources"]
    found: Resources = {}
    for body in bodies.values():
        kind, properties = body["Type"], _resolved(body["Properties"], bodies, account)
        match kind:
            case "AWS::SQS::QueuePolicy":
                [queue] = properties["Queues"]
                _enter(found, QUEUE[0], {QUEUE[1]: queue, "Policy": properties["PolicyDocument"]})
            case "AWS::SNS::TopicPolicy":
                [topic] = (arn.rpartition(":")[2] for arn in properties["Topics"])
                _enter(found, TOPIC[0], {TOPIC[1]: topic, "Policy": properties["PolicyDocument"]})
            case "AWS::Lambda::Function":
                _enter(found, kind, _function(properties))
            case _:
                _enter(found, kind, properties)
    return found


def _resolved(node: Any, bodies: Mapping[str, Any], account: Account) -> Any:
    match node:
        case {"Fn::Sub": text}:
            for name, value in (
                ("AccountId", account.id),
                ("Region", account.region),
                ("Partition", account.partition),
                ("URLSuffix", "amazonaws.com"),
            ):
                text = text.replace(f"${{AWS::{name}}}", value)
            assert "${" not in text
            return text
        case {"Ref": "CodeBucket" | "CodeKey" as parameter}:
            return parameter
        case {"Ref": logical_id}:
            kind, name = _known(bodies[logical_id])
            return _arn(kind, name, account) if kind == TOPIC[0] else name
        case {"Fn::GetAtt": attribute}:
            logical_id, _, what = attribute.partition(".")
            kind, name = _known(bodies[logical_id])
            return unknown_stream(name) if what == "StreamArn" else _arn(kind, name, account)
        case dict():
            return {key: _resolved(value, bodies, account) for key, value in node.items()}
        case list():
            return [_resolved(item, bodies, account) for item in node]
    return node


def _known(body: Mapping[str, Any]) -> tuple[str, str]:
    kind: str = body["Type"]
    [name] = (body["Properties"][each] for each in IDENTITY[kind])
    return kind, name


def _arn(kind: str, name: str, account: Account) -> str:
    if kind == ROLE[0]:
        return account.role_arn(name)
    service, prefix = ARNS[kind]
    return account.arn(service, f"{prefix}{name}")


# --- what both have in common ---------------------------------------------------------------------

# A property at the default is the same as none.
_DEFAULTS = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}}


def _enter(found: Resources, kind: str, properties: Properties) -> None:
    name = " ".join(properties[each] for each in IDENTITY[kind])
    plain = {key: _plain(key, value) for key, value in properties.items()}
    given = {key: value for key, value in plain.items() if value != _DEFAULTS.get(key)}
    found.setdefault((kind, name), {}).update(given)


def _plain(name: str, value: Any) -> Any:
    """Tags are a map or a list, which mean the same; tuples are lists."""
    if name == "Tags" and isinstance(value, list):
        return {tag["Key"]: tag["Value"] for tag in value}
    return json.loads(json.dumps(value))
