"""The pipes of templates as CDK, SAM and people write them, against a stack that a fake holds.

cdk/ is what aws-cdk-lib 2.275.0 and the aws-pipes-*-alpha packages 2.275.0a0 synthesise, without
metadata. calls.json has the calls, checked by hand; integration/test_pipes_apply.py compares their
sources, targets and roles with what MiniStack makes of the same templates.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator

from eventbridge_pipes.apply import command
from eventbridge_pipes.apply.resolution import Question
from eventbridge_pipes.apply.stack import Stack
from eventbridge_pipes.apply.template import PIPE, read
from pipes_requests import ACCOUNT, REGION, arn
from pipes_shapes import MODEL

DATA = Path(__file__).parent / "data"
CALLS: dict[str, list[Any]] = json.loads((DATA / "calls.json").read_text())
TEMPLATES = sorted(path.relative_to(DATA / "templates") for path in DATA.rglob("templates/*/*"))

PHYSICAL_IDS = {
    "AWS::SQS::Queue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{}}",
    "AWS::SNS::Topic": arn("sns", "{}"),
    "AWS::StepFunctions::StateMachine": arn("states", "stateMachine:{}"),
    "AWS::Serverless::StateMachine": arn("states", "stateMachine:{}"),
}
"""Of others it is the name."""

NESTED = arn("cloudformation", "stack/nested/0")

SYSTEMS_MANAGER = {
    "/shop/bus": arn("events", "event-bus/shop"),
    "/shop/cluster-arn": arn("ecs", "cluster/shop"),
    "/shop/source:1": "shop.stock",
    "/shop/stock/stream-arn": arn("kinesis", "stream/stock"),
}


class FakeEmulator:
    """The clients of all services: each logical id is a name too."""

    status = "CREATE_COMPLETE"

    def __init__(self, template: dict[str, Any], **physical_ids: str) -> None:
        self._template = template
        self._physical_ids = physical_ids
        self._page: dict[str, Any] = {}

    def __call__(self, service: str) -> FakeEmulator:
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if StackName == NESTED:
            outputs = [{"OutputKey": "Arn", "OutputValue": "an output"}]
            nested = {"StackName": "nested", "StackId": NESTED, "StackStatus": "CREATE_COMPLETE"}
            return {"Stacks": [nested | {"Outputs": outputs}]}
        parameters = [
            {
                "ParameterKey": name,
                "ParameterValue": "****" if declared.get("NoEcho") else declared["Default"],
                **(
                    {"ResolvedValue": SYSTEMS_MANAGER[declared["Default"]]}
                    if declared["Default"] in SYSTEMS_MANAGER
                    else {}
                ),
            }
            for name, declared in self._template.get("Parameters", {}).items()
        ]
        stack_id = arn("cloudformation", f"stack/{StackName}/0")
        stack = {"StackName": StackName, "StackId": stack_id, "StackStatus": self.status}
        return {"Stacks": [stack | {"Parameters": parameters}]}

    def get_paginator(self, operation: str) -> FakeEmulator:
        kinds = {name: r["Type"] for name, r in self._template["Resources"].items()}
        kinds |= {
            f"{name}Role": "AWS::IAM::Role"
            for name, kind in kinds.items()
            if kind == "AWS::Serverless::Function"
        }
        resources = [
            {
                "LogicalResourceId": name,
                "ResourceType": kind,
                "PhysicalResourceId": self._physical_ids.get(
                    name, PHYSICAL_IDS.get(kind, "{}").format(name)
                ),
            }
            for name, kind in kinds.items()
        ]
        names = ["test-function-arn", "shop-function-arn"]
        names += ["Storage:ExportsOutputFnGetAttSharedDACC02AAArnC693039C"]
        names += ["Storage:ExportsOutputFnGetAttWorker11F36D0FArnAAAA15E7"]
        exports = [{"Name": name, "Value": f"the value of {name}"} for name in names]
        self._page = {"StackResourceSummaries": resources, "Exports": exports}
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [self._page]

    def describe_table(self, TableName: str) -> Any:  # noqa: N803
        return {"Table": {"LatestStreamArn": arn("dynamodb", f"table/{TableName}/stream/1")}}

    def describe_api_destination(self, Name: str) -> Any:  # noqa: N803
        return {"ApiDestinationArn": arn("events", f"api-destination/{Name}/0")}

    def get_role(self, RoleName: str) -> Any:  # noqa: N803
        return {"Role": {"Arn": arn("iam", f"role/a-path/{RoleName}", region="")}}

    def get_parameter(self, Name: str) -> Any:  # noqa: N803
        return {"Parameter": {"Value": SYSTEMS_MANAGER[Name]}}


def calls(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    emulator = FakeEmulator(read(path))
    monkeypatch.setattr(command, "_clients", lambda: (emulator, REGION))
    assert command.main([str(path), "--stack", "shop", "--dry-run"]) == 0, capsys.readouterr().err
    printed: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return printed


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_a_template_gives_these_calls(
    template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = calls(DATA / "templates" / template, monkeypatch, capsys)
    assert found == CALLS[str(template)]
    shape = MODEL.shape_for("CreatePipeRequest")
    for call in found:
        assert not ParamValidator().validate(call["CreatePipe"], shape).has_errors()


def test_they_are_more_than_thirty_pipes() -> None:
    templates = [read(DATA / "templates" / path) for path in TEMPLATES]
    kinds = [each["Type"] for template in templates for each in template["Resources"].values()]
    assert kinds.count(PIPE) > 30


def test_a_stack_that_failed_is_named_before_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = DATA / "templates" / "by_hand" / "hook.json"
    emulator = FakeEmulator(read(path), Role="", Hook="")
    emulator.status = "ROLLBACK_COMPLETE"
    monkeypatch.setattr(command, "_clients", lambda: (emulator, REGION))
    assert command.main([str(path), "--stack", "shop", "--dry-run"]) == 2
    first, *others = capsys.readouterr().err.splitlines()
    assert first.endswith("the stack shop is ROLLBACK_COMPLETE")
    assert [line.partition("Properties.")[2] for line in others] == [
        "RoleArn.Fn::GetAtt: Role.Arn is not known: use --resource Role.Arn=VALUE",
        "Target.Fn::GetAtt: Hook.Arn is not known: use --resource Hook.Arn=VALUE",
    ]


RESOURCES = {
    "Nested": "AWS::CloudFormation::Stack",
    "Ignored": "AWS::Kinesis::Stream",
    "Failed": "AWS::Kinesis::Stream",
    "WithArn": "AWS::Kinesis::Stream",
    "Queue": "AWS::SQS::Queue",
    "Function": "AWS::Serverless::Function",
    "Table": "AWS::Serverless::SimpleTable",
    "Other": "Custom::Thing",
}


@pytest.mark.parametrize(
    ("subject", "name", "attribute", "value"),
    [
        ("Attribute", "Nested", "Outputs.Arn", "an output"),
        ("Attribute", "Nested", "Outputs.Gone", None),
        ("Ref", "Ignored", "", None),
        ("Attribute", "Ignored", "Arn", None),
        ("Ref", "Failed", "", None),
        ("Ref", "Gone", "", None),
        ("Attribute", "WithArn", "Arn", arn("kinesis", "stream/s")),
        ("Attribute", "Queue", "QueueUrl", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/Queue"),
        ("Attribute", "Queue", "QueueName", "Queue"),
        ("Attribute", "Function", "Arn", arn("lambda", "function:Function")),
        ("Attribute", "Table", "StreamArn", arn("dynamodb", "table/Table/stream/1")),
        ("Attribute", "Other", "Arn", None),
        ("Export", "gone", "", None),
        ("Parameter", "/shop/source:1", "", "shop.stock"),
    ],
)
def test_a_stack_answers_what_its_resources_tell(
    subject: str, name: str, attribute: str, value: str | None
) -> None:
    template = {"Resources": {name: {"Type": kind} for name, kind in RESOURCES.items()}}
    ids = {
        "Nested": NESTED,
        "Ignored": "unknown",
        "Failed": "",
        "WithArn": arn("kinesis", "stream/s"),
    }
    stack = Stack(FakeEmulator(template, **ids), "shop")
    assert stack.answer(Question(subject, name, attribute)) == value


def test_a_hidden_parameter_has_no_value() -> None:
    declared = {"Secret": {"Default": "a", "NoEcho": True}, "Open": {"Default": "b"}}
    stack = Stack(FakeEmulator({"Resources": {}, "Parameters": declared}), "shop")
    assert stack.parameters == {
        "Open": "b",
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::StackId": arn("cloudformation", "stack/shop/0"),
        "AWS::StackName": "shop",
    }
