"""Where the commands go: chosen by the environment, and never somewhere else by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory_cli.embedded.environment import isolated, variables
from inventory_cli.embedded.stack import NoStackError
from inventory_cli.target import Target, TargetError, chosen
from inventory_cli.target import variables as target_variables


def test_embedded_is_the_default() -> None:
    assert chosen({}) is Target.EMBEDDED


def test_an_endpoint_in_the_environment_is_used_as_it_is() -> None:
    assert chosen({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}) is Target.AWS
    assert target_variables({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, Path("nowhere")) == {}


def test_target_is_stronger_than_an_endpoint() -> None:
    environ = {"TARGET": "embedded", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    assert chosen(environ) is Target.EMBEDDED


def test_an_unknown_target_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(TargetError, match="'moon': it must be embedded or aws"):
        chosen({"TARGET": "moon"})


def test_without_a_running_stack_the_embedded_target_has_no_variables(tmp_path: Path) -> None:
    with pytest.raises(NoStackError, match="inventory up"):
        target_variables({}, tmp_path)


def test_nothing_of_ones_own_aws_environment_reaches_the_embedded_servers() -> None:
    own = {
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.us-east-1.amazonaws.com",
        "AWS_CA_BUNDLE": "/etc/ca.pem",
        "PATH": "/bin",
    }
    embedded = variables("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert isolated(own, embedded) == {"PATH": "/bin", "AWS_CA_BUNDLE": "/etc/ca.pem", **embedded}
