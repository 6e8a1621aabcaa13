"""TARGET: which servers the commands talk to. It is nothing but standard AWS variables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from inventory_cli import localstack
from inventory_cli.embedded.stack import running_variables


class Target(StrEnum):
    """Who answers the AWS APIs."""

    EMBEDDED = "embedded"
    LOCALSTACK = "localstack"
    AWS = "aws"


class TargetError(Exception):
    """TARGET names no target."""


def chosen(environ: Mapping[str, str]) -> Target:
    """The target that the environment chooses: TARGET, else whatever AWS_ENDPOINT_URL leads to,
    else the embedded one.

    Raises TargetError.
    """
    name = environ.get("TARGET") or (
        Target.AWS if environ.get("AWS_ENDPOINT_URL") else Target.EMBEDDED
    )
    if name not in list(Target):
        raise TargetError(f"TARGET is {name!r}: it must be one of {', '.join(Target)}")
    return Target(name)


def variables_of_a_shell(environ: Mapping[str, str], state: Path) -> Mapping[str, str]:
    """What leads a shell to the stack in `state`, or to that of TARGET, wherever it leads now.

    Raises as `variables` does, and TargetError where TARGET=aws, which the shell has to lead to.
    """
    without_endpoint = {k: v for k, v in environ.items() if k != "AWS_ENDPOINT_URL"}
    if chosen(without_endpoint) is Target.AWS:
        raise TargetError("TARGET is aws: the shell's own variables and profile lead there")
    return variables(without_endpoint, state)


def variables(environ: Mapping[str, str], state: Path) -> Mapping[str, str]:
    """What to add to the environment to reach the servers that run.

    Raises TargetError, NoStackError when the embedded target is chosen and not running, or
    SettingsError when a port of the localstack target is none.
    """
    match chosen(environ):
        case Target.EMBEDDED:
            return running_variables(state)
        case Target.LOCALSTACK:
            return localstack.variables(environ)
        case Target.AWS:
            return {}
