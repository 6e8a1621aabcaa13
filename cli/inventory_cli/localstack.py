"""The localstack target: the containers of docker-compose.yml, at the ports that it publishes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.settings import of_resources
from embedded.environment import variables as aws_variables
from embedded.ports import chosen
from embedded.processes import answers
from inventory_aws.errors import SettingsError

PORTS = {"LOCALSTACK_PORT": 4566, "PIPES_PORT": 4567}
DEFAULT_REGION = "us-east-1"

ANSWER_SECONDS = 10.0


class NotRunningError(Exception):
    """Nothing answers where the containers are expected."""


def settings(environ: Mapping[str, str], file: Path) -> dict[str, str]:
    """`environ`, and what the .env `file`, if there is one, sets beside it: as Compose sees both.

    Raises SettingsError when the file is no text.
    """
    if not file.is_file():
        return dict(environ)
    from dotenv import dotenv_values  # takes a while to load: not for the other targets

    try:
        written = dotenv_values(file)
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text. See .env.example.") from None
    return {**{name: value for name, value in written.items() if value is not None}, **environ}


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What leads AWS clients to the containers, and programs to the resources in them.

    An empty PIPES_ENDPOINT stands for LocalStack's own Pipes. In the container `cli`,
    LOCALSTACK_ENDPOINT and PIPES_ENDPOINT are the addresses; elsewhere the published ports are.
    Raises SettingsError when a port is none.
    """
    ports = PORTS | chosen(environ, *PORTS)
    emulator, pipes = environ.get("LOCALSTACK_ENDPOINT"), environ.get("PIPES_ENDPOINT")
    if not emulator:
        emulator = f"http://127.0.0.1:{ports['LOCALSTACK_PORT']}"
        pipes = None if pipes == "" else f"http://127.0.0.1:{ports['PIPES_PORT']}"
    region = environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    return {**of_resources(environ), **aws_variables(emulator, pipes, region)}


def check(endpoint: str) -> None:
    """Raises NotRunningError unless LocalStack, or what takes its place, answers at `endpoint`."""
    if not answers(f"{endpoint}/_localstack/health", ANSWER_SECONDS):
        raise NotRunningError(
            f"LocalStack does not answer at {endpoint}. Start the containers with "
            "`docker compose up`. If they use another port, set LOCALSTACK_PORT."
        )
