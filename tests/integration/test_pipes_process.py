"""The process that serves the Pipes API: its state, its signals, and how it says what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.processes import answers
from pipes_service import Pipeline, PipesProcess, in_state, unique
from servers import AwsClient
from waiting import eventually


@pytest.fixture(scope="module")
def pipeline(aws: AwsClient) -> Pipeline:
    return Pipeline(aws, unique("test_process"))


@pytest.fixture
def own(emulator: str, tmp_path: Path) -> Iterator[PipesProcess]:
    """A service of the test's own, not started."""
    process = PipesProcess(emulator, tmp_path / "state")
    yield process
    process.stop()


def test_pipes_tags_and_states_survive_a_restart_and_sigint_ends_it_well(
    own: PipesProcess, pipeline: Pipeline
) -> None:
    name = "restarted"
    own.start()
    client = own.client()
    client.create_pipe(**pipeline.definition() | {"Name": name, "Tags": {"a": "b"}})
    other = {"Name": f"{name}-2", "DesiredState": "STOPPED"}
    client.create_pipe(**pipeline.definition() | other)
    before = in_state(client, name, "RUNNING")
    in_state(client, f"{name}-2", "STOPPED")
    own.kill()
    own.start()
    after = client.describe_pipe(Name=name)
    for description in (before, after):
        description.pop("ResponseMetadata")
    assert after == before
    assert client.describe_pipe(Name=f"{name}-2")["CurrentState"] == "STOPPED"
    assert_a_signal_ends_it_well(own, signal.SIGINT)


def assert_a_signal_ends_it_well(own: PipesProcess, number: int) -> None:
    os.kill(own.server.pid, number)
    eventually(lambda: own.server.finished)
    assert "Traceback" not in own.log.read_text()


def test_a_port_in_use_is_one_clear_line(own: PipesProcess) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = own.run("--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "cannot listen on 127.0.0.1" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "set AWS_ACCESS_KEY_ID"),
        (
            {"AWS_ENDPOINT_URL": "", "HTTPS_PROXY": "http://127.0.0.1:9"},  # AWS is not asked
            "set AWS_ACCOUNT_ID, or AWS_ENDPOINT_URL",
        ),
    ],
)
def test_missing_aws_settings_are_one_clear_line(
    own: PipesProcess, tmp_path: Path, variables: dict[str, str], named: str
) -> None:
    absent = str(tmp_path / "absent")
    files = {"AWS_CONFIG_FILE": absent, "AWS_SHARED_CREDENTIALS_FILE": absent}
    own.environment = files | variables
    code, said = own.run("--port", "0")
    assert code == 2
    assert named in said
    assert said.count("\n") == 1


def test_port_0_takes_a_free_port_and_says_which_and_sigterm_ends_it_well(
    own: PipesProcess,
) -> None:
    """And while it runs, another service cannot have its state directory."""
    server = own.launch("--port", "0", "--log-format", "json")
    try:
        eventually(lambda: own.log.exists() and "\n" in own.log.read_text())
        first = json.loads(own.log.read_text().splitlines()[0])
        url = first["message"].split()[3].rstrip(",")
        eventually(lambda: answers(f"{url}/health"))
        code, said = own.run("--port", "0")
        assert code == 2
        assert "another service is using the state directory" in said
        assert said.count("\n") == 1
    finally:
        server.stop()
    assert server.finished
    assert "Traceback" not in own.log.read_text()
