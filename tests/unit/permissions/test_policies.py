"""The policies of people and roles: what the files say, and what a linter says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inventory_cli.cli import cli
from provisioner import Names, Options
from provisioner.account import Account
from provisioner.description import description
from provisioner.permissions import matrix, policies, written
from provisioner.permissions.grants import MANAGED_POLICY_CHARACTERS
from provisioner.resources import Role

DOCS = Path(__file__).parents[3] / "docs"
ACCOUNT = Account("123456789012", "us-east-1")
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
DEPLOYER = "arn:aws:iam::123456789012:role/inventory-deployer"
EVERYTHING_ON = Options(kms_key=KEY, point_in_time_recovery=True, deletion_protection=True)
LONGEST = {
    **{"FUNCTION_ROLE_NAME": 64, "ALERTS_ROLE_NAME": 64, "PIPE_ROLE_NAME": 64, "PIPE_NAME": 64},
    **{"FUNCTION_NAME": 64, "ALERTS_FUNCTION_NAME": 64, "ALARM_PREFIX": 200, "DASHBOARD_NAME": 255},
}
LONG = Names.from_env({"STAGE": "as-long-as-can-be-20"})

Document = Mapping[str, Any]


def of_people(names: Names, options: Options) -> dict[str, Document]:
    granted = policies(names, options, ACCOUNT, DEPLOYER)
    return {name: json.loads(written(grants)) for name, grants in granted.items()}


def of_roles(names: Names, options: Options) -> dict[str, Document]:
    roles = [r for r in description(names, options, ACCOUNT, "") if isinstance(r, Role)]
    return {role.name: role.policy.document for role in roles if role.policy}


EVERYBODY = {**of_people(Names(), EVERYTHING_ON), **of_roles(Names(), EVERYTHING_ON)}


@pytest.fixture(params=list(EVERYBODY))
def document(request: pytest.FixtureRequest) -> Document:
    return EVERYBODY[request.param]


def complaints(documents: Mapping[str, Document]) -> list[str]:
    """Of cfn-lint: among its rules are those for policies, with AWS's lists of all actions."""
    from cfnlint.api import lint  # it takes seconds to import, and each worker collects this file
    from cfnlint.config import ManualArgs

    bodies = {
        "".join(filter(str.isalnum, name)): {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": name, "Roles": ["r"], "PolicyDocument": document},
        }
        for name, document in documents.items()
    }
    config = ManualArgs(regions=[ACCOUNT.region], include_checks=["I3510"])
    return [str(match) for match in lint(json.dumps({"Resources": bodies}), config=config)]


def test_a_linter_has_nothing_to_say_of_any_policy() -> None:
    assert complaints(EVERYBODY) == []


def test_a_linter_would_tell_each_mistake() -> None:
    sound = {
        "Sid": "Pipe",
        "Effect": "Allow",
        "Action": ["pipes:CreatePipe"],
        "Resource": ["arn:aws:pipes:us-east-1:123456789012:pipe/p"],
    }
    mistakes: dict[str, Document] = {
        "'makepipe' is not one of": {"Action": ["pipes:MakePipe"]},
        "requires a resource of": {"Resource": ["arn:aws:sns:us-east-1:123456789012:pipe"]},
        "'Equals' does not match": {"Condition": {"Equals": {"a": "b"}}},
        "'My pipe' does not match": {"Sid": "My pipe"},
    }

    lines = complaints(
        {
            f"p{number}": {"Version": "2012-10-17", "Statement": [{**sound, **mistake}]}
            for number, mistake in enumerate(mistakes.values())
        }
    )

    assert len(lines) == len(mistakes)
    for complaint in mistakes:
        assert [line for line in lines if complaint in line]


def test_all_is_granted_on_nothing_but_what_aws_lets_be_granted_on_nothing_less(
    document: Document,
) -> None:
    from cfnlint.data import AdditionalSpecs
    from cfnlint.helpers import load_resource

    known = load_resource(AdditionalSpecs, "Policies.json")
    for statement in document["Statement"]:
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            has_resources = "Resources" in known[service]["Actions"][name.lower()]
            on_all = "*" in as_list(statement["Resource"])
            if action != "cloudwatch:GetMetricData":  # its one kind of resource is not ours
                assert on_all != has_resources, action


def test_no_action_is_a_wildcard_and_all_that_is_wide_is_of_this_region_or_read_alone(
    document: Document,
) -> None:
    for statement in document["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
        if "*" in as_list(statement["Resource"]) and "Condition" not in statement:
            assert statement["Action"] == ["dynamodb:ListStreams"]


@pytest.mark.parametrize("names", [Names(), LONG], ids=["default", "long"])
@pytest.mark.parametrize("options", [Options(), EVERYTHING_ON], ids=["default", "all on"])
def test_each_policy_fits_into_a_managed_policy(names: Names, options: Options) -> None:
    for document in of_people(names, options).values():
        assert len("".join(json.dumps(document).split())) <= MANAGED_POLICY_CHARACTERS


def test_names_that_make_a_policy_too_long_are_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable, longest in LONGEST.items():
        monkeypatch.setenv(variable, variable.ljust(longest, "x"))

    command = ["export", "policies", "--account", ACCOUNT.id, "--region", ACCOUNT.region]
    result = CliRunner().invoke(cli, [*command, "--output", str(tmp_path / "out")])

    assert result.exit_code == 2
    assert "IAM takes 6,144: choose shorter ones" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("principal", "actions"),
    [
        ("role/inventory-deployer", ["iam:GetRole", "iam:SimulatePrincipalPolicy"]),
        ("user/somebody", ["iam:SimulatePrincipalPolicy"]),
    ],
)
def test_who_deploys_may_ask_of_nobody_but_itself(
    principal: str, actions: list[str], tmp_path: Path
) -> None:
    command = ["export", "policies", "--account", ACCOUNT.id, "--region", ACCOUNT.region]
    CliRunner().invoke(cli, [*command, "--principal", principal, "--output", str(tmp_path)])

    policy = json.loads((tmp_path / "deployer-functions.json").read_text(encoding="utf-8"))
    [statement] = [each for each in policy["Statement"] if each["Sid"] == "AskBeforehand"]
    assert statement["Resource"] == [f"arn:aws:iam::123456789012:{principal}"]
    assert statement["Action"] == actions


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("--account", "12345", "must be the 12 digits of an account"),
        ("--principal", "somebody", "must be role/NAME or user/NAME"),
        ("--principal", "group/people", "must be role/NAME or user/NAME"),
    ],
)
def test_what_is_no_account_and_no_principal_is_refused(
    option: str, value: str, line: str, tmp_path: Path
) -> None:
    command = ["export", "policies", "--account", ACCOUNT.id, "--region", ACCOUNT.region]
    result = CliRunner().invoke(cli, [*command, "--output", str(tmp_path / "out"), option, value])

    assert result.exit_code == 2
    assert result.stderr == f"Error: {option} {line} (it is {value!r})\n"
    assert not (tmp_path / "out").exists()


def test_without_a_region_a_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    command = ["export", "policies", "--account", ACCOUNT.id, "--output", str(tmp_path)]
    result = CliRunner().invoke(cli, command)

    assert result.exit_code == 2
    assert result.stderr == "Error: No AWS Region. Set AWS_DEFAULT_REGION.\n"


def test_the_files_of_the_docs_are_what_the_command_writes(tmp_path: Path) -> None:
    command = ["export", "policies", "--account", ACCOUNT.id, "--region", ACCOUNT.region]
    result = CliRunner().invoke(cli, [*command, "--output", str(tmp_path)])

    assert result.exit_code == 0, result.output
    made = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    kept = {file.name: file.read_text(encoding="utf-8") for file in (DOCS / "policies").iterdir()}
    assert made == kept, "run `make permissions`"


def test_the_page_of_the_docs_is_that_of_the_policies() -> None:
    kept = (DOCS / "permissions.md").read_text(encoding="utf-8")
    assert kept == matrix.page(), "run `make permissions`"


def test_the_page_names_each_action_of_each_policy() -> None:
    page = matrix.page()
    for document in EVERYBODY.values():
        for statement in document["Statement"]:
            for action in statement["Action"]:
                assert f"`{action}`" in page or f"`{action.partition(':')[2]}`" in page, action


def as_list(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value
