"""TARGET=aws: what commands print and ask before they create anything, and why they refuse."""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import click
import pytest
from bench.__main__ import main as bench
from click.testing import Result

from front_door import invoke
from inventory_cli.cli import cli
from stack import RESOURCES, Backend

ACCOUNT_ID = "123456789012"
CALLER = f"""<GetCallerIdentityResponse><GetCallerIdentityResult>
  <Arn>arn:aws:iam::{ACCOUNT_ID}:user/deployer</Arn><Account>{ACCOUNT_ID}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


class Refusing(BaseHTTPRequestHandler):
    """AWS for a caller that it does not let in, or lets do nothing but ask who it is."""

    error = ""
    calls: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = self.headers.get("X-Amz-Target", "")
        action = (
            target.rpartition(".")[2] or parse_qs(body.decode("latin-1")).get("Action", [""])[0]
        )
        self.calls.append(action or self.path)
        if action == "GetCallerIdentity" and not self.error:
            self._answer(200, CALLER, {})
            return
        code = self.error or "AccessDeniedException"
        message = (
            f"User: arn:aws:iam::1:user/x is not authorized to perform: {self._action(action)}"
        )
        xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        if target or not action:
            text = json.dumps({"__type": code, "message": message})
            self._answer(400, text, {"x-amzn-ErrorType": code})
        else:
            self._answer(403, f"{xml}</ErrorResponse>", {})

    def do_GET(self) -> None:
        self.do_POST()

    def _action(self, action: str) -> str:
        signed = self.headers["Authorization"].partition("Credential=")[2]
        return f"{signed.split('/')[3]}:{action or 'Get'}"

    def _answer(self, status: int, text: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None: ...


class Server(ThreadingHTTPServer):
    """Everything is asked of it at once."""

    request_queue_size = 128


@pytest.fixture
def refusing() -> Iterator[tuple[str, type[Refusing]]]:
    handler = type("Handler", (Refusing,), {"calls": []})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def on_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration, no credentials, and no way to AWS but by the environment."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("TARGET", "aws")


def have_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def run(*arguments: str, answer: str = "", program: click.Command = cli) -> Result:
    return invoke(program, arguments, environ=os.environ.copy(), stdin=answer)


def refused_in_one_line(result: Result) -> str:
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


COMMANDS = ("deploy", "destroy --yes", "table")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_credentials_a_line_says_how_to_get_some(command: str) -> None:
    line = refused_in_one_line(run(*command.split()))

    assert line == (
        "Error: No AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or run where a role provides them.\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_credentials_that_are_none_any_more_are_told_in_a_line(
    refusing: tuple[str, type[Refusing]],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    code: str,
) -> None:
    endpoint, aws = refusing
    aws.error = code
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    have_credentials(monkeypatch)

    line = refused_in_one_line(run(*command.split()))

    assert line.startswith("Error: AWS does not accept these credentials in this Region. Get new ")
    assert f"check AWS_DEFAULT_REGION. {code}: User: arn:aws:iam::" in line
    assert len(aws.calls) == 1


def test_an_endpoint_that_does_not_exist_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(host: str, *_: Any, **__: Any) -> None:
        raise socket.gaierror(f"{host}: Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-eas-1")
    have_credentials(monkeypatch)

    line = refused_in_one_line(run("deploy"))

    assert line.startswith("Error: Could not connect to the endpoint URL: ")
    assert ".us-eas-1.amazonaws.com" in line


def test_a_missing_permission_is_one_line_and_nothing_changes(
    refusing: tuple[str, type[Refusing]], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, aws = refusing
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    have_credentials(monkeypatch)

    refused = run("deploy", "--yes")

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == (
        "Error: DescribeStacks: AccessDeniedException: User: arn:aws:iam::1:user/x is not "
        "authorized to perform: cloudformation:DescribeStacks\n"
    )
    assert aws.calls == ["GetCallerIdentity", "DescribeStacks"]


@pytest.fixture
def stage(embedded: Backend, monkeypatch: pytest.MonkeyPatch) -> str:
    """A stage that nobody else uses, of an account that is the emulator's. Nothing is in it."""
    name = f"s{uuid.uuid4().hex[:10]}"
    for variable, value in {**embedded.variables, "STAGE": name}.items():
        monkeypatch.setenv(variable, value)
    return name


def test_without_a_terminal_deploy_shows_its_plan_and_creates_nothing(
    stage: str,
) -> None:
    result = run("deploy")

    assert result.exit_code == 2
    assert result.stdout.startswith(f"Account 000000000000, Region us-east-1, stage {stage}\n")
    assert "\n  add Stream (AWS::Kinesis::Stream)\n" in result.stdout
    assert result.stdout.endswith(
        "\nCosts money while idle: 2 shard-hours an hour, 5 alarms, 1 dashboard\n"
    )
    assert result.stderr == (
        "Error: The resources may cost money, and there is no terminal to ask for confirmation. To "
        "create them anyway, add --yes.\n"
    )

    for program, arguments in ((cli, ["demo", "--count", "1"]), (bench, [])):
        other = run(*arguments, program=program)
        assert other.exit_code == 2
        assert other.stderr == (
            "Error: Some resources are missing or outdated. To create what is missing, run "
            "`inventory deploy`.\n"
        )


def test_with_yes_deploy_goes_ahead_and_does_not_ask_for_no_changes(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True)

    no = run("deploy", answer="n\n")
    assert no.exit_code == 1
    assert no.output.endswith("Go ahead? [y/N]: n\nAborted!\n")

    yes = run("deploy", answer="y\n")
    assert yes.exit_code == 0, yes.output
    assert yes.output.endswith(f"\nStage {stage}: {RESOURCES} created\n")

    again = run("deploy")
    assert (again.exit_code, again.output) == (0, f"Stage {stage}: no changes\n")

    assert run("destroy", answer="n\n").exit_code == 1
    gone = run("destroy", answer="y\n")
    assert "resources of the stage" in gone.output
    assert gone.output.endswith(f"Nothing of the stage {stage} is left.\n")
