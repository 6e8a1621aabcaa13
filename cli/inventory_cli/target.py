"""TARGET: which servers the commands talk to. It is nothing but standard AWS variables."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from deploy.settings import of_resources
from embedded.stack import NoStackError, endpoint_of, running_variables
from inventory_cli import localstack
from inventory_cli.invocation import typed


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
        raise TargetError(f"TARGET must be one of {', '.join(Target)} (it is {name!r})")
    return Target(name)


def chosen_by_name(environ: Mapping[str, str]) -> Target:
    """The same by TARGET alone: what can start servers of its own goes nowhere else unasked.

    Raises TargetError.
    """
    return chosen({"TARGET": environ.get("TARGET", "")})


def unused_endpoint(environ: Mapping[str, str], folder: Path) -> str | None:
    """What to say where `chosen_by_name` leaves an endpoint of the environment aside, other than
    that of the stack in `folder`."""
    endpoint = environ.get("AWS_ENDPOINT_URL")
    if environ.get("TARGET") or not endpoint or endpoint == endpoint_of(folder):
        return None
    return f"AWS_ENDPOINT_URL={endpoint} is ignored. To use it, set TARGET=aws."


def found(environ: Mapping[str, str], state: Path) -> tuple[Target, Mapping[str, str]]:
    """The target of a command that works on servers that run, and what to add to the environment to
    reach them.

    A shell that leads to the stack in `state` (`inventory env`) means that stack. Raises
    TargetError, NoStackError when the embedded target is chosen and not running, or SettingsError
    when a port of the localstack target is none.
    """
    target = chosen(environ)
    if target is Target.AWS and not environ.get("TARGET"):
        with suppress(NoStackError):
            own = _running(state)
            if own["AWS_ENDPOINT_URL"] == environ["AWS_ENDPOINT_URL"]:
                target = Target.EMBEDDED
    match target:
        case Target.EMBEDDED:
            return target, {**_running(state), **of_resources(environ)}
        case Target.LOCALSTACK:
            return target, localstack.variables(environ)
        case Target.AWS:
            return target, {}


def variables_of_a_shell(environ: Mapping[str, str], state: Path) -> Mapping[str, str]:
    """What leads a shell to the stack in `state`, or to that of TARGET, wherever it leads now.

    Raises as `found` does, and TargetError where TARGET=aws, which the shell has to lead to.
    """
    match chosen_by_name(environ):
        case Target.EMBEDDED:
            return _running(state)
        case Target.LOCALSTACK:
            return localstack.variables(environ)
        case Target.AWS:
            raise TargetError(
                "With TARGET=aws there is nothing to set: your shell's own AWS variables apply."
            )


def may_cost_money(environ: Mapping[str, str]) -> bool:
    """Whether what is made on the AWS target may. An endpoint on this machine takes none, unless
    TARGET says that it is AWS."""
    from eventbridge_pipes.guard import is_local  # the dashboard's image does not have it

    host = urlsplit(environ.get("AWS_ENDPOINT_URL", "")).netloc
    return bool(environ.get("TARGET")) or not is_local(host)


def _running(state: Path) -> dict[str, str]:
    try:
        return running_variables(state)
    except NoStackError as error:
        raise NoStackError(f"{error} Start one with `{typed('up')}`.") from None
