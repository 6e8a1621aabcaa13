"""Whoever deploys has the policies of docs/policies: with them all works, and not with less.

moto's CloudFormation makes what the template says without asking anybody. What AWS's asks for is in
iam/cloudformation.py. The calls of `inventory deploy` itself are decided on before they are sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import boto3
import pytest
from click.testing import CliRunner, Result

import template
from iam import cloudformation
from iam.deployment import KEY, actions, an_account, statements, without
from iam.enforcement import Enforcement
from iam.evaluation import Need, allowed
from iam.stack import under
from inventory_cli.cli import cli

POLICIES = ("DeployerData", "DeployerFunctions")
DEPLOYER = statements(*POLICIES)
BUCKET = f"inventory-code-{template.ACCOUNT}-{template.REGION}"
LOOKS_AT_ALL = {"cloudwatch:DescribeAlarms"}
OURS = re.compile(r"(realtimeInventoryProcessing|product_inventory|inventory[-_/]|inventory$)")

pytestmark = pytest.mark.filterwarnings(
    "ignore:Tried to parse .* but it's not supported by moto:UserWarning"
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture(scope="module")
def asked() -> list[Need]:
    """What `inventory deploy` and `destroy` themselves ask for; they succeed with the policies."""
    with an_account():
        dynamodb = boto3.client("dynamodb")
        with under(DEPLOYER) as deployer:
            deployed = run("deploy", "--yes")
            tables = {*dynamodb.list_tables()["TableNames"]}
            again, gone = run("deploy", "--yes"), run("destroy", "--yes")
        assert dynamodb.list_tables()["TableNames"] == []
    assert (deployed.exit_code, deployer.denied) == (0, []), deployed.output
    assert tables == {"inventory_removals", "product_inventory"}
    assert again.output == "Stage default: no changes\n"
    assert gone.output.endswith("Nothing of the stage default is left.\n")
    return needs_of(deployer)


def needs_of(somebody: Enforcement) -> list[Need]:
    return [need for asked in somebody.asked for need in asked.needs]


@pytest.mark.parametrize("key", ["off", KEY])
def test_the_policies_are_enough_and_every_action_of_them_is_needed(
    asked: list[Need], key: str
) -> None:
    policies = statements(*POLICIES, KmsKeyArn=key)
    needs = {*asked, *cloudformation.needs(template.resources(KmsKeyArn=key), BUCKET)}
    needs |= {Need(f"cloudformation:{name}", STACK) for name in WHEN_IT_FAILS}

    assert [need for need in needs if not allowed(policies, need)] == []
    unneeded = [
        action
        for action in actions(policies)
        if all(allowed(without(policies, action), need) for need in needs)
    ]
    assert unneeded == []
    assert [need for need in of_others(needs) if allowed(policies, need)] == []


STACK = template.arn("cloudformation", "stack/inventory/its-id")
WHEN_IT_FAILS = ("DeleteChangeSet",)
"""Called when the user says no, or nothing would change."""


def of_others(needs: Iterable[Need]) -> Iterator[Need]:
    """The same on what is called otherwise."""
    for need in needs:
        theirs = OURS.sub(r"their-\g<0>", need.resource, count=1)
        if theirs != need.resource and need.action not in LOOKS_AT_ALL:
            yield replace(need, resource=theirs)


@pytest.mark.parametrize("policy", [*POLICIES, "Operator"])
def test_each_policy_fits_into_a_managed_policy_in_the_longest_stage(policy: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    long = statements(policy, KmsKeyArn=KEY, NamePrefix="as-long-as-can-be-20-")
    assert len(re.sub(r"\s", "", str(long))) < 6144 - len('{"Version":"2012-10-17","Statement":}')


def test_missing_permissions_are_named_and_nothing_is_created() -> None:
    with an_account(), under(without(DEPLOYER, "cloudformation:CreateChangeSet")) as lacking:
        refused = run("deploy", "--yes")

    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert "not authorized to perform: cloudformation:CreateChangeSet" in refused.stderr
    looks = ("Describe", "Get", "List", "Create")
    assert [a.operation for a in lacking.asked if not a.operation.startswith(looks)] == []
