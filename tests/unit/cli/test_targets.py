"""Where the commands go: chosen by the environment, and never somewhere else by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.stack import NoStackError
from inventory_aws.errors import SettingsError
from inventory_cli.errors import CannotRunError
from inventory_cli.target import (
    Target,
    named_target,
    uses_endpoint,
    variables_of,
    with_compose_settings,
)

NOWHERE = Path("nowhere")
ENDPOINT = {"AWS_ENDPOINT_URL": "http://127.0.0.1:20000"}


def test_embedded_is_the_default() -> None:
    assert named_target({}) is Target.EMBEDDED
    assert not uses_endpoint({}, NOWHERE)


def test_an_endpoint_in_the_environment_is_used_as_it_is() -> None:
    assert uses_endpoint(ENDPOINT, NOWHERE)
    assert variables_of(Target.AWS, ENDPOINT, NOWHERE) == {}


def test_commands_that_start_servers_ignore_the_endpoint() -> None:
    assert named_target(ENDPOINT) is Target.EMBEDDED
    assert named_target({**ENDPOINT, "TARGET": "aws"}) is Target.AWS


def test_target_takes_precedence_over_the_endpoint() -> None:
    assert not uses_endpoint({**ENDPOINT, "TARGET": "embedded"}, NOWHERE)


def test_the_endpoint_of_the_folders_own_servers_means_the_embedded_target(tmp_path: Path) -> None:
    ports = tmp_path / "embedded" / "ports.json"
    ports.parent.mkdir()
    ports.write_text('{"MiniStack": 20000}')
    assert not uses_endpoint(ENDPOINT, tmp_path)
    assert uses_endpoint({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, tmp_path)


def test_the_error_for_an_unknown_target_lists_the_targets() -> None:
    with pytest.raises(CannotRunError, match="TARGET must be one of embedded, localstack, aws "):
        named_target({"TARGET": "moon"})


def test_without_a_running_stack_the_embedded_target_has_no_variables(tmp_path: Path) -> None:
    with pytest.raises(NoStackError, match="No stack is running in"):
        variables_of(Target.EMBEDDED, {}, tmp_path)


def on_localstack(**environ: str) -> dict[str, str]:
    return variables_of(Target.LOCALSTACK, environ, NOWHERE)


def test_localstack_is_where_compose_publishes_it() -> None:
    assert on_localstack() == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ENDPOINT_URL_PIPES": "http://127.0.0.1:4567",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def test_the_ports_and_the_region_are_those_of_compose() -> None:
    found = on_localstack(LOCALSTACK_PORT="5001", PIPES_PORT="5002", AWS_DEFAULT_REGION="eu-west-1")
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5001"
    assert found["AWS_ENDPOINT_URL_PIPES"] == "http://127.0.0.1:5002"
    assert (found["AWS_DEFAULT_REGION"], found["AWS_REGION"]) == ("eu-west-1", "eu-west-1")


def test_an_empty_variable_is_the_default_as_in_compose() -> None:
    assert on_localstack(LOCALSTACK_PORT="", PIPES_PORT="", AWS_DEFAULT_REGION="") == (
        on_localstack()
    )


def test_an_empty_pipes_endpoint_means_the_pipes_of_localstack() -> None:
    assert "AWS_ENDPOINT_URL_PIPES" not in on_localstack(PIPES_ENDPOINT="")


def test_in_the_container_cli_the_servers_have_their_own_addresses() -> None:
    given = {"LOCALSTACK_ENDPOINT": "http://localstack:4566", "PIPES_ENDPOINT": "http://pipes:4567"}
    found = on_localstack(**given, LOCALSTACK_PORT="5001")
    assert found["AWS_ENDPOINT_URL"] == "http://localstack:4566"
    assert found["AWS_ENDPOINT_URL_PIPES"] == "http://pipes:4567"
    assert "AWS_ENDPOINT_URL_PIPES" not in on_localstack(**given | {"PIPES_ENDPOINT": ""})


def test_an_endpoint_does_not_lead_away_from_localstack() -> None:
    elsewhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_PIPES": "http://x"}
    assert on_localstack(**elsewhere) == on_localstack()


def test_the_names_of_the_resources_go_with_the_target() -> None:
    assert on_localstack(STREAM_NAME="orders", BATCH_SIZE="7", HOME="/root") == {
        **on_localstack(),
        "STREAM_NAME": "orders",
        "BATCH_SIZE": "7",
    }


@pytest.mark.parametrize("port", ["moon", "0", "65536", "-1", "4566-4570", "4566 "])
@pytest.mark.parametrize("variable", ["LOCALSTACK_PORT", "PIPES_PORT"])
def test_an_invalid_port_is_refused_with_the_name_of_its_variable(variable: str, port: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable} must be a whole number from 1"):
        on_localstack(**{variable: port})


def test_the_env_file_is_read_and_the_environment_takes_precedence(
    tmp_path: Path,
) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# ports\nLOCALSTACK_PORT=5001\nSTREAM_NAME='orders'  # ours\nPIPES_PORT=5002\n"
    )
    environ = {"PIPES_PORT": "6002", "HOME": "/root"}
    assert with_compose_settings(environ, file) == {
        "LOCALSTACK_PORT": "5001",
        "STREAM_NAME": "orders",
        "PIPES_PORT": "6002",
        "HOME": "/root",
    }


def test_a_missing_env_file_sets_nothing_and_one_that_is_not_text_is_refused(
    tmp_path: Path,
) -> None:
    file = tmp_path / ".env"
    assert with_compose_settings({"A": "b"}, file) == {"A": "b"}
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env is not UTF-8 text"):
        with_compose_settings({}, file)
