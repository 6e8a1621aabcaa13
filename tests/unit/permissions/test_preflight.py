"""What IAM's simulator is asked before anything is made, and what is made of its answers."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from provisioner import Action, Change, Clients, Names, Options
from provisioner.permissions.preflight import Beforehand, preflight

ROLE = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/Deployers"
USER = "arn:aws:iam::123456789012:user/somebody"
NEW_STREAM = Change(Action.CREATED, "stream realtimeInventoryProcessing", planned=True)
NEW_PIPE = Change(Action.CREATED, "pipe inventory-pipe", planned=True)
NEW_LOG_GROUP = Change(Action.CREATED, "log group /aws/lambda/inventory-processor", planned=True)


class Iam:
    """Answers with `results` for the actions in it, and else that all is allowed."""

    def __init__(self, caller: str = USER, **results: dict[str, Any]) -> None:
        self.results = results
        self.asked: list[dict[str, Any]] = []
        self.clients = MagicMock(spec_set=list(Clients.__dataclass_fields__))
        identity = {"Arn": caller, "Account": "123456789012"}
        self.clients.sts.get_caller_identity.return_value = identity
        self.clients.kinesis.meta.region_name = "us-east-1"
        self.clients.iam.get_role.return_value = {"Role": {"Arn": ROLE}}
        self.clients.iam.get_paginator.return_value.paginate = self.simulate

    def simulate(self, **asked: Any) -> list[dict[str, Any]]:
        self.asked.append(asked)
        return [{"EvaluationResults": [self.result(name, asked) for name in asked["ActionNames"]]}]

    def result(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        result = self.results.get(action.partition(":")[2], {"EvalDecision": "allowed"})
        arn = asked["ResourceArns"][0]
        return {"EvalActionName": action, "EvalResourceName": arn, **result}

    def preflight(self, *changes: Change) -> Beforehand:
        return preflight(self.clients, Names(), Options(), changes or [NEW_STREAM])


@pytest.mark.parametrize("decision", ["implicitDeny", "explicitDeny"])
def test_each_action_that_would_be_denied_is_told(decision: str) -> None:
    iam = Iam(CreateStream={"EvalDecision": decision}, AddTagsToStream={"EvalDecision": decision})

    assert iam.preflight() == Beforehand(("kinesis:AddTagsToStream", "kinesis:CreateStream"))


def test_only_what_the_planned_changes_take_is_asked() -> None:
    iam = Iam()

    assert iam.preflight() == Beforehand()
    asked = {action for each in iam.asked for action in each["ActionNames"]}
    assert {"kinesis:CreateStream", "kinesis:StartStreamEncryption"} <= asked
    assert not {"kinesis:DeleteStream", "kinesis:UpdateShardCount"} & asked
    assert not [action for action in asked if not action.startswith("kinesis:")]


def test_each_question_has_all_that_our_policies_have_conditions_on_and_its_own_first() -> None:
    iam = Iam()

    iam.preflight(NEW_PIPE)

    given = [
        {entry["ContextKeyName"]: entry["ContextKeyValues"] for entry in each["ContextEntries"]}
        for each in iam.asked
    ]
    assert {frozenset(each) for each in given} == {
        frozenset(
            {
                *("aws:RequestedRegion", "aws:RequestTag/project", "aws:RequestTag/stage"),
                *("iam:PassedToService", "lambda:FunctionArn"),
            }
        )
    }
    [passing] = [n for n, each in enumerate(iam.asked) if each["ActionNames"] == ["iam:PassRole"]]
    assert given[passing]["iam:PassedToService"] == ["pipes.amazonaws.com"]


def test_what_changes_nothing_takes_nothing() -> None:
    iam = Iam()

    iam.preflight(Change(Action.UNCHANGED, NEW_STREAM.resource, planned=True))

    assert iam.asked == []


def test_a_decision_for_want_of_something_of_the_request_is_none() -> None:
    lacking = {"EvalDecision": "implicitDeny", "MissingContextValues": ["aws:SourceIp"]}

    assert Iam(CreateStream=lacking).preflight() == Beforehand()


def test_of_several_names_of_one_resource_one_that_is_allowed_is_enough() -> None:
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/inventory-processor"

    def decided(*decisions: str) -> dict[str, Any]:
        specific = [
            {"EvalResourceName": name, "EvalResourceDecision": decision}
            for name, decision in zip((arn, f"{arn}:*"), decisions, strict=True)
        ]
        return {"EvalDecision": "implicitDeny", "ResourceSpecificResults": specific}

    one = Iam(CreateLogGroup=decided("implicitDeny", "allowed"))
    none = Iam(CreateLogGroup=decided("implicitDeny", "implicitDeny"))

    assert one.preflight(NEW_LOG_GROUP) == Beforehand()
    assert none.preflight(NEW_LOG_GROUP) == Beforehand(("logs:CreateLogGroup",))


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        (USER, USER),
        ("arn:aws:sts::123456789012:assumed-role/Deployers/somebody", ROLE),
    ],
)
def test_it_is_asked_of_the_user_or_of_the_role_of_the_session(caller: str, principal: str) -> None:
    iam = Iam(caller)

    iam.preflight()

    assert {each["PolicySourceArn"] for each in iam.asked} == {principal}


def test_the_root_of_an_account_may_do_all() -> None:
    iam = Iam("arn:aws:iam::123456789012:root")

    assert iam.preflight() == Beforehand()
    assert iam.asked == []


def test_of_somebody_whom_iam_does_not_know_nothing_is_known() -> None:
    federated = "arn:aws:sts::123456789012:federated-user/somebody"

    assert Iam(federated).preflight() == Beforehand(unknown=f"IAM does not tell of {federated}")


def test_who_may_not_ask_is_told_what_for() -> None:
    iam = Iam()
    message = "User: x is not authorized to perform: iam:SimulatePrincipalPolicy on resource: x"
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "Simulate")
    iam.clients.iam.get_paginator.side_effect = denied

    assert iam.preflight() == Beforehand(unknown="you may not iam:SimulatePrincipalPolicy")


def test_where_iam_cannot_be_asked_that_is_said_in_a_line() -> None:
    iam = Iam()
    unreachable = EndpointConnectionError(endpoint_url="https://iam.amazonaws.com/")
    iam.clients.iam.get_paginator.side_effect = unreachable

    unknown = iam.preflight().unknown

    assert unknown.startswith("Could not connect to the endpoint URL")
    assert "\n" not in unknown
