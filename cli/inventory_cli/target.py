"""TARGET: which servers the commands use. It becomes AWS variables and settings of resources."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import click

from deploy.settings import of_resources
from embedded import environment
from embedded.ministack import REGION
from embedded.ports import chosen
from embedded.processes import answers
from embedded.stack import endpoint_of, running_variables
from inventory_aws.errors import SettingsError
from inventory_cli.errors import CannotRunError

LOCALSTACK_PORTS = {"LOCALSTACK_PORT": 4566, "PIPES_PORT": 4567}
ANSWER_SECONDS = 10.0


class Target(StrEnum):
    """Who answers the AWS APIs."""

    EMBEDDED = "embedded"
    LOCALSTACK = "localstack"
    AWS = "aws"


def embedded_folder(state: Path) -> Path:
    """Return the folder of the servers that `inventory up` runs."""
    return state / "embedded"


def named_target(environ: Mapping[str, str]) -> Target:
    """Return the target that TARGET names. Raises CannotRunError."""
    name = environ.get("TARGET") or Target.EMBEDDED
    if name not in list(Target):
        raise CannotRunError(f"TARGET must be one of {', '.join(Target)} (it is {name!r})")
    return Target(name)


def uses_endpoint(environ: Mapping[str, str], state: Path) -> bool:
    """Whether AWS_ENDPOINT_URL chooses the servers, and they are not those of the state folder."""
    endpoint = environ.get("AWS_ENDPOINT_URL")
    own = endpoint_of(embedded_folder(state))
    return not environ.get("TARGET") and bool(endpoint) and endpoint != own


def variables_of(target: Target, environ: Mapping[str, str], state: Path) -> dict[str, str]:
    """Return what leads AWS clients to running servers, and programs to the resources on them.

    Raises NoStackError if the embedded target is not running, and SettingsError.
    """
    if target is Target.AWS:
        return {}
    if target is Target.LOCALSTACK:
        return {**_localstack(environ), **of_resources(environ)}
    return {**running_variables(embedded_folder(state)), **of_resources(environ)}


def _localstack(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for the containers, at the ports that docker-compose.yml publishes.

    An empty PIPES_ENDPOINT stands for LocalStack's own Pipes. In the container `cli`,
    LOCALSTACK_ENDPOINT and PIPES_ENDPOINT are the addresses.
    """
    ports = LOCALSTACK_PORTS | chosen(environ, *LOCALSTACK_PORTS)
    emulator, pipes = environ.get("LOCALSTACK_ENDPOINT"), environ.get("PIPES_ENDPOINT")
    if not emulator:
        emulator = f"http://127.0.0.1:{ports['LOCALSTACK_PORT']}"
        pipes = None if pipes == "" else f"http://127.0.0.1:{ports['PIPES_PORT']}"
    region = environ.get("AWS_DEFAULT_REGION") or REGION
    return environment.variables(emulator, pipes, region)


def with_compose_settings(environ: Mapping[str, str], file: Path) -> dict[str, str]:
    """Return `environ` and what the .env `file` sets beside it, as Compose sees both.

    Raises SettingsError when the file is no text.
    """
    from dotenv import dotenv_values  # takes a while to load: not for the other targets

    try:
        written = dotenv_values(file)
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text. See .env.example.") from None
    return {**{name: value for name, value in written.items() if value is not None}, **environ}


def enter_target(state: Path) -> Target:
    """Lead this process's AWS clients to the running servers that the environment chooses.

    Raises as `variables_of` does, and CannotRunError when LocalStack does not answer.
    """
    target = named_target(os.environ)
    if uses_endpoint(os.environ, state):
        target = Target.AWS
        click.echo(
            f"Using AWS_ENDPOINT_URL={os.environ['AWS_ENDPOINT_URL']}. For the stack in "
            f"{embedded_folder(state)}, set TARGET=embedded.",
            err=True,
        )
    found = variables_of(target, os.environ, state)
    if target is Target.LOCALSTACK:
        endpoint = found["AWS_ENDPOINT_URL"]
        if not answers(f"{endpoint}/_localstack/health", ANSWER_SECONDS):
            raise CannotRunError(
                f"LocalStack does not answer at {endpoint}. Start the containers with "
                "`docker compose up`. If they use another port, set LOCALSTACK_PORT."
            )
    enter(found)
    return target


def enter(variables: Mapping[str, str]) -> None:
    """Set the variables that lead to servers, and unset the AWS variables that lead elsewhere."""
    os.environ.update(environment.past_proxies(os.environ))
    if variables:
        isolated = environment.isolated(os.environ, variables)
        os.environ.clear()
        os.environ.update(isolated)
