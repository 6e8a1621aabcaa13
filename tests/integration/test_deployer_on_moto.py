"""Whoever deploys, before the IAM of moto: which decides on actions alone, in some services.

It takes the signature of Lambda's and Pipes' requests for a wrong one, and has other names for the
actions of CloudWatch and of the tagging API. Those, and resources: test_deployer_permissions.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import boto3
import pytest
from moto.core import set_initial_no_auth_action_count

from iam.deployment import ACCOUNT, an_account, statements
from provisioner import Clients, Names, Options
from provisioner.convergence import converge, remove
from provisioner.description import description
from provisioner.errors import AWS_ERRORS, explain
from provisioner.kinds import all_kinds
from provisioner.monitors import Alarm, Dashboard
from provisioner.patience import Patience
from provisioner.resources import EventSource, Function, Pipe, Resource

ACTIONS = {action for each in statements("deployer") for action in each["Action"]}
RESOURCES = [
    resource
    for resource in description(Names(), Options(), ACCOUNT, "")
    if not isinstance(resource, (Function, Pipe, EventSource, Alarm, Dashboard))
]
FIRST_ACTION = {
    "stream": "kinesis:CreateStream",
    "table": "dynamodb:CreateTable",
    "queue": "sqs:CreateQueue",
    "topic": "sns:CreateTopic",
    "log group": "logs:CreateLogGroup",
    "role": "iam:CreateRole",
}


def user(name: str, actions: Iterable[str]) -> boto3.Session:
    iam = boto3.client("iam")
    iam.create_user(UserName=name)
    allow = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=name, PolicyName="documented", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"])


def test_moto_lets_the_deployer_make_and_delete_and_names_the_action_that_is_missing() -> None:
    with an_account():
        deployer = Clients.from_session(user("deployer", ACTIONS))
        lacking = Clients.from_session(user("lacking", ACTIONS - set(FIRST_ACTION.values())))
        refused, deleted = with_its_iam(deployer, lacking)

    assert refused == FIRST_ACTION
    assert deleted == [f"deleted {resource.label}" for resource in reversed(RESOURCES)]


@set_initial_no_auth_action_count(0)
def with_its_iam(deployer: Clients, lacking: Clients) -> tuple[dict[str, str], list[str]]:
    refused = {resource.kind: named(lacking, resource) for resource in RESOURCES}
    kinds = all_kinds(deployer, b"")
    for resource in RESOURCES:
        converge(kinds[type(resource)], resource, Patience(10))
    gone = [remove(kinds[type(each)], each, Patience(10)) for each in reversed(RESOURCES)]
    return refused, [str(change) for change in gone]


def named(clients: Clients, resource: Resource) -> str:
    """The action in what is said, whose form moto has right for some of its services alone."""
    with pytest.raises(AWS_ERRORS) as refused:
        converge(all_kinds(clients, b"")[type(resource)], resource, Patience(10))
    return explain(refused.value).partition("is not authorized to perform: ")[2].partition("<")[0]
