"""Mistakes on the command line or in the environment: one clear message, and exit code 2."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

import pytest

from front_door import FrontDoor

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
        (["table"], {}, "no stack is running on .inventory/embedded: start one with"),
        (["env"], {}, "no stack is running"),
        (["env"], NOBODY_ANSWERS, "no stack is running"),
        (["produce"], {}, "no stack is running"),
        (["produce"], NO_REGION, "region"),
        (["table"], NO_REGION, "no AWS Region: set AWS_DEFAULT_REGION, or a profile that has one"),
        (["table"], NO_REGION | NO_KEYS | {"AWS_REGION": "us-east-1"}, "no AWS credentials"),
        (["env"], {"TARGET": "aws"}, "TARGET is aws: the shell's own variables and profile lead"),
        (["--state", "other", "table"], NOBODY_ANSWERS, "no stack is running on other/embedded"),
        (["table"], {"TARGET": "moon"}, "TARGET is 'moon': it must be one of embedded, localstack"),
        (["up", "--rate", "fast"], {}, "--rate"),
        (["up"], {"DASHBOARD_PORT": "http"}, "DASHBOARD_PORT='http': must be a whole number from"),
        (["demo", "--count", "0"], {}, "--count"),
        (["up"], {"TARGET": "aws"}, "inventory provision"),
        (
            ["up"],
            {"TARGET": "localstack"},
            "run `make up TARGET=localstack` or `docker compose up`",
        ),
        (["env"], {"TARGET": "localstack", "PIPES_PORT": "x"}, "PIPES_PORT='x': must be a whole"),
        (["scenario", "missing.jsonl"], {}, "missing.jsonl"),
        (["nonsense"], {}, "nonsense"),
        (["table"], NOBODY_ANSWERS | NO_KEYS, "no AWS credentials"),
        (["table"], NOBODY_ANSWERS | KEYS, 'connect to the endpoint URL: "http://127.0.0.1:9/"'),
        (
            ["table"],
            NOBODY_ANSWERS | KEYS,
            "Working at http://127.0.0.1:9, for AWS_ENDPOINT_URL says so; TARGET=embedded would",
        ),
    ],
)
def test_a_mistake_is_told_in_a_clear_line_and_exit_2(
    inventory: FrontDoor, arguments: list[str], variables: dict[str, str], said: str
) -> None:
    code, output = inventory.call(*arguments, **variables)
    assert code == 2, output
    assert said in output
    assert "Traceback" not in output


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_state_folder_that_cannot_be_made_is_named_with_the_way_out(
    inventory: FrontDoor, command: str
) -> None:
    (inventory.folder / "file").touch()
    code, output = inventory.call("--state", "file/state", command)
    assert (code, output) == (
        2,
        "Error: file/state: Not a directory: name another folder with --state or INVENTORY_STATE\n",
    )


def test_up_stops_its_servers_when_a_setting_of_the_resources_is_wrong(
    inventory: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = Servers()
    monkeypatch.setattr("inventory_cli.embedded.stack.EmbeddedStack", servers)
    code, output = inventory.call("up", STREAM_SHARDS="none")
    assert code == 2, output
    assert output.startswith("Error: STREAM_SHARDS")
    assert output.count("\n") == 1
    assert servers.stopped


class Servers:
    """Stands for the servers of the embedded target, which take seconds to start."""

    def __init__(self) -> None:
        self.variables = NOBODY_ANSWERS | KEYS
        self.stopped = False
        self.kept = True

    def __call__(self, *_: Any, **__: Any) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped = True


def test_a_state_folder_that_cannot_be_written_is_one_line(inventory: FrontDoor) -> None:
    inventory.folder.joinpath("state").write_text("in the way")
    assert inventory.call("--state", "state", "up")[0] == 2
    code, output = inventory.call("up", INVENTORY_STATE="state/below")
    assert code == 2
    assert len(output.splitlines()) == 1, output


@pytest.mark.parametrize(
    "command", ["table", "provision", "provision --plan", "destroy --yes", "produce", "demo"]
)
def test_where_no_localstack_answers_it_is_told_in_a_line_how_to_start_it(
    inventory: FrontDoor, command: str
) -> None:
    code, output = inventory.call(*command.split(), TARGET="localstack", LOCALSTACK_PORT="9")
    assert code == 2
    assert output.startswith(
        "Error: no LocalStack answers at http://127.0.0.1:9: start the containers with "
        "`make up TARGET=localstack`"
    )
    assert output.count("\n") == 1
