"""What the environment says of a pipeline, for those who read and repair it."""

from __future__ import annotations

import re

import pytest

from deploy.settings import Settings, template
from inventory.stock import RemovalNamePolicy
from inventory_aws.errors import SettingsError
from operations.access import Access


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.parametrize("environ", [{}, {"REMOVAL_NAME_POLICY": ""}])
def test_what_is_not_set_is_as_deploy_sets_it(environ: dict[str, str]) -> None:
    access, settings = Access.from_env(environ), Settings.from_env({})
    assert access.policy == settings.parameters["RemovalNamePolicy"]
    assert access.names == settings.names


def test_it_accepts_what_deploy_accepts() -> None:
    policies = template()["Parameters"]["RemovalNamePolicy"]["AllowedValues"]
    assert sorted(policies) == sorted(RemovalNamePolicy)
    for policy in policies:
        assert Access.from_env({"REMOVAL_NAME_POLICY": policy}).policy == policy


@pytest.mark.parametrize("environ", [{"REMOVAL_NAME_POLICY": "strict"}, {"STAGE": "Up"}])
def test_a_wrong_variable_is_named_as_deploy_names_it(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as by_deploy:
        Settings.from_env(environ)
    with pytest.raises(SettingsError, match=f"^{re.escape(str(by_deploy.value))}$"):
        Access.from_env(environ)
