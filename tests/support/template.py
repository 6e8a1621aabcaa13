"""The template's resources with all functions resolved, as CloudFormation would see them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.settings import TEMPLATE, Settings

ACCOUNT = "123456789012"
REGION = "us-east-1"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "inventory",
    "AWS::URLSuffix": "amazonaws.com",
}
NAMED_BY = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Kinesis::Stream": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
}
ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{place}:table/{name}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::Kinesis::Stream": "arn:aws:kinesis:{place}:stream/{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{place}:function:{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{place}:log-group:{name}:*",
    "AWS::SNS::Topic": "arn:aws:sns:{place}:{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{place}:{name}",
}

Resources = dict[str, dict[str, Any]]


class _Loader(yaml.SafeLoader):
    """Short forms become the long ones."""


def _long(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name == "Ref" else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        return {key: loader.construct_scalar(node)}
    return {key: loader.construct_sequence(node, deep=True)}  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _long)


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def resources(environ: Mapping[str, str] | None = None, /, **parameters: str) -> Resources:
    """The resources that these settings make, by logical id."""
    return resources_of(TEMPLATE, Settings.from_env(environ or {}).parameters, **parameters)


def resources_of(file: Path, *settings: Mapping[str, str], **parameters: str) -> Resources:
    document = yaml.load(file.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    defaults = {name: each.get("Default", "") for name, each in document["Parameters"].items()}
    given = {**defaults, **dict(*settings), **parameters}
    resolver = _Resolver(document, given)
    return {
        name: resolver.value(each)
        for name, each in document["Resources"].items()
        if "Condition" not in each or resolver.holds(each["Condition"])
    }


class _Resolver:
    def __init__(self, document: dict[str, Any], parameters: Mapping[str, Any]) -> None:
        self._document = document
        self._parameters = {**PSEUDO, **parameters}

    def holds(self, condition: str) -> bool:
        return bool(self.value(self._document["Conditions"][condition]))

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [each for each in map(self.value, node) if each is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1 and (found := self._function(*next(iter(node.items())))) is not node:
            return found
        values = {key: self.value(each) for key, each in node.items()}
        return {key: each for key, each in values.items() if each is not None}

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return self._attribute(*argument.split("."))
            case "Fn::Sub":
                text, given = (argument, {}) if isinstance(argument, str) else argument
                values = {name: self.value(each) for name, each in given.items()}
                return re.sub(
                    r"\$\{([\w:.]+)\}",
                    lambda m: str(values[m[1]] if m[1] in values else self._named(m[1])),
                    text,
                )
            case "Fn::If":
                condition, yes, no = argument
                return self.value(yes if self.holds(condition) else no)
            case "Fn::Equals":
                return self.value(argument[0]) == self.value(argument[1])
            case "Fn::Not":
                return not self.value(argument[0])
        assert not name.startswith("Fn::"), name
        return {name: self.value(argument)}

    def _named(self, name: str) -> Any:
        return self._attribute(*name.split(".")) if "." in name else self._ref(name)

    def _ref(self, name: str) -> Any:
        if name in self._parameters:
            return self._parameters[name]
        kind = self._document["Resources"][name]["Type"]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self._name(name)}"
        return self._attribute(name, "Arn") if kind == "AWS::SNS::Topic" else self._name(name)

    def _attribute(self, name: str, attribute: str) -> str:
        if attribute == "QueueName":
            return self._name(name)
        kind = self._document["Resources"][name]["Type"]
        found = ARNS[kind].format(
            place=f"{REGION}:{ACCOUNT}", account=ACCOUNT, name=self._name(name)
        )
        return f"{found}/stream/2026-11-24T00:00:00.000" if attribute == "StreamArn" else found

    def _name(self, name: str) -> str:
        resource = self._document["Resources"][name]
        return str(self.value(resource["Properties"][NAMED_BY[resource["Type"]]]))
