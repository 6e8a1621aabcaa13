"""Mistakes on the command line or in the environment: one clear message, and exit code 2."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from front_door import FrontDoor
from inventory_cli.errors import OneLineCommand
from operations.table_stream import NoStreamError

NO_REGION = {"TARGET": "aws", "AWS_CONFIG_FILE": os.devnull}
NOBODY_ANSWERS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
}
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
NO_KEYS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def inventory(tmp_path: Path) -> FrontDoor:
    return FrontDoor(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (
            ["table"],
            {},
            "No stack is running in .inventory/embedded. Start one with `inv",
        ),
        (["env"], {}, "No stack is running"),
        (["env"], NOBODY_ANSWERS, "No stack is running"),
        (["produce"], {}, "No stack is running"),
        (["produce"], NO_REGION, "No AWS Region."),
        (["table"], NO_REGION, "No AWS Region. Set AWS_DEFAULT_REGION, or a profile that has one."),
        (["table"], NO_REGION | NO_KEYS | {"AWS_REGION": "us-east-1"}, "No AWS credentials"),
        (["env"], {"TARGET": "aws"}, "With TARGET=aws there is nothing to set"),
        (
            ["--state", "other", "table"],
            NOBODY_ANSWERS,
            "No stack is running in other/embedded. Start one with `inventory up`.",
        ),
        (
            ["table"],
            {"TARGET": "moon"},
            "TARGET must be one of embedded, localstack, aws (it",
        ),
        (
            ["up", "--rate", "fast"],
            {},
            "--rate must be a number above 0, such as 20 (it is",
        ),
        (["up", "--state", "other"], {}, "before the command. The variable INVENTORY_STATE does"),
        (["table", "--state", "other"], {}, "--state goes before the command."),
        (["table", "--version"], {}, "--version goes before the command.\n"),
        (["up"], {"DASHBOARD_PORT": "http"}, "DASHBOARD_PORT must be a whole number from"),
        (["demo", "--count", "0"], {}, "--count must be a whole number from 1 to 1000000 (it is"),
        (["demo"], {"PRODUCER_RATE": "fast"}, "PRODUCER_RATE must be a number above 0, such as 20"),
        (["demo"], {"PRODUCER_MIX": "foo=1"}, "PRODUCER_MIX must be shares, such as added=6,"),
        (
            ["up"],
            {"TARGET": "aws"},
            "With TARGET=aws, run `inventory deploy`, then `inventory produce`.",
        ),
        (
            ["up"],
            {"TARGET": "localstack"},
            "With TARGET=localstack, run `docker compose up`.",
        ),
        (["env"], {"TARGET": "localstack", "PIPES_PORT": "x"}, "PIPES_PORT must be a whole"),
        (["scenario", "missing.jsonl"], {}, "missing.jsonl"),
        (["tabel"], {}, "'tabel' is not a command. Did you mean table?"),
        (["scenario", "--output", "no/such/status.txt"], {}, "cannot write to the folder no/such"),
        (["redrive", "--all", "--edit", "--yes"], {}, "--edit needs a terminal, or an editor in"),
        (["audit", "--since", "soon"], {}, "--since must be a time, such as 2026-01-31T12:00, or"),
        (["audit", "--since", "soon", "--output", "xml"], {}, "\n       --output must be one of"),
        (["table"], NOBODY_ANSWERS | NO_KEYS, "No AWS credentials"),
        (["table"], NOBODY_ANSWERS | KEYS, 'connect to the endpoint URL: "http://127.0.0.1:9/"'),
        (
            ["table"],
            NOBODY_ANSWERS | KEYS,
            "Using AWS_ENDPOINT_URL=http://127.0.0.1:9. For the stack in .inventory/embedded, set",
        ),
    ],
)
def test_a_mistake_is_one_clear_message_and_exit_code_2(
    inventory: FrontDoor, arguments: list[str], variables: dict[str, str], said: str
) -> None:
    code, output = inventory.call(*arguments, **variables)
    assert code == 2, output
    assert said in output
    assert "Traceback" not in output


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_state_folder_that_cannot_be_made_is_named_with_the_option(
    inventory: FrontDoor, command: str
) -> None:
    (inventory.folder / "file").touch()
    code, output = inventory.call("--state", "file/state", command)
    assert (code, output) == (
        2,
        "Error: file/state: Not a directory. Choose another folder with --state or "
        "INVENTORY_STATE.\n",
    )


def test_up_names_all_wrong_settings_at_once_and_starts_nothing(
    inventory: FrontDoor,
) -> None:
    wrong = {"PRODUCER_RATE": "abc", "BATCH_SIZE": "x", "STAGE": "a b", "DASHBOARD_PORT": "http"}
    code, output = inventory.call("up", "--count", "0", **wrong)
    assert (code, output.splitlines()) == (
        2,
        [
            "Error: --count must be a whole number of at least 1 (it is '0')",
            "       PRODUCER_RATE must be a number above 0, such as 20 (it is 'abc')",
            "       DASHBOARD_PORT must be a whole number from 0 to 65535 (it is 'http')",
            "       STAGE must be 1-20 of a-z, 0-9 and -, beginning with a letter (it is 'a b')",
            "       BATCH_SIZE must be a whole number from 1 to 10000 (it is 'x')",
        ],
    )
    assert list(inventory.folder.iterdir()) == []


@pytest.mark.parametrize("command", ["demo", "scenario"])
def test_a_wrong_setting_of_the_resources_leaves_no_folder(
    inventory: FrontDoor, command: str
) -> None:
    code, output = inventory.call(command, STAGE="a b")
    assert code == 2
    assert output.startswith("Error: STAGE must be")
    assert list(inventory.folder.iterdir()) == []


def test_a_state_folder_that_cannot_be_written_is_one_line(inventory: FrontDoor) -> None:
    inventory.folder.joinpath("state").write_text("in the way")
    assert inventory.call("--state", "state", "up")[0] == 2
    code, output = inventory.call("up", INVENTORY_STATE="state/below")
    assert code == 2
    assert len(output.splitlines()) == 1, output


@pytest.mark.parametrize("command", ["table", "deploy", "destroy --yes", "produce", "demo"])
def test_one_line_says_how_to_start_localstack_if_it_does_not_answer(
    inventory: FrontDoor, command: str
) -> None:
    code, output = inventory.call(*command.split(), TARGET="localstack", LOCALSTACK_PORT="9")
    assert code == 2
    assert output.startswith(
        "Error: LocalStack does not answer at http://127.0.0.1:9. Start the containers with "
        "`docker compose up`."
    )
    assert output.count("\n") == 1


def test_the_error_for_a_table_without_a_stream_says_how_to_create_one() -> None:
    @click.command(cls=OneLineCommand)
    def follow() -> None:
        raise NoStreamError("The table stock has no stream.")

    ended = CliRunner().invoke(follow)
    assert ended.exit_code == 2
    assert ended.output == (
        "Error: The table stock has no stream. To create what is missing, run `inventory deploy`.\n"
    )
