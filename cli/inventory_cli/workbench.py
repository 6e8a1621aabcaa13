"""What the commands have in common: a target to work on, its clients, the resources on it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import boto3
import click

import build_zip
import provisioner
from inventory.stock import RemovalNamePolicy
from inventory_cli import localstack, private
from inventory_cli.aws import Clients
from inventory_cli.embedded.stack import EmbeddedStack
from inventory_cli.environment import isolated, past_proxies
from inventory_cli.interrupts import InterruptedRunError
from inventory_cli.paths import embedded
from inventory_cli.target import (
    Target,
    chosen_by_name,
    found,
    may_cost_money,
    unused_endpoint,
)

ZIP_NAME = "inventory-processor.zip"


@dataclass(frozen=True, slots=True)
class Workbench:
    """A target, by its clients, and what its resources are called and set to."""

    session: boto3.Session
    clients: Clients
    names: provisioner.Names
    options: provisioner.Options
    billed: bool = False
    """Whether what is made here may cost somebody money: then nobody makes it unasked."""

    @classmethod
    def from_environment(cls, *, billed: bool = False) -> Self:
        """Raises provisioner.SettingsError."""
        names = provisioner.Names.from_env(os.environ)
        options = provisioner.Options.from_env(os.environ)
        session = boto3.Session()
        return cls(session, Clients.from_session(session), names, options, billed)

    @property
    def policy(self) -> RemovalNamePolicy:
        return RemovalNamePolicy(self.options.removal_name_policy)

    def plan(self) -> list[provisioner.Change]:
        """What `provision` would do. Raises as it does."""
        clients = provisioner.Clients.from_session(self.session)
        return provisioner.plan(clients, self.names, self.options, packaged_function())

    def provision(
        self, report: Callable[[provisioner.Change], object], *, agreed: bool = False
    ) -> None:
        """Raises build_zip.BuildError, provisioner.ProvisioningError or NotBegunError.

        Or UnaskedError, where that costs somebody money, there is something to do and it is not
        `agreed` to.
        """
        if self.billed and not agreed and pending(self.plan()):
            raise UnaskedError("not all is there as it should be: run inventory provision first")
        clients = provisioner.Clients.from_session(self.session)
        provisioner.provision(clients, self.names, self.options, packaged_function(), report)


class UnaskedError(Exception):
    """What would be made may cost money, and nobody was asked."""


def pending(changes: list[provisioner.Change]) -> list[provisioner.Change]:
    """Those that are changes."""
    return [change for change in changes if change.action is not provisioner.Action.UNCHANGED]


def packaged_function() -> bytes:
    """Return the functions' zip: the file FUNCTION_ZIP of our image, or else one built now."""
    if built := os.environ.get("FUNCTION_ZIP"):
        return Path(built).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        return build_zip.build(Path(folder) / ZIP_NAME).read_bytes()


def on_target(state: Path) -> Workbench:
    """The target that the environment chooses. Raises as `enter_target` does."""
    billed = enter_target(state) is Target.AWS and may_cost_money(os.environ)
    return Workbench.from_environment(billed=billed)


@contextmanager
def on_own_target(root: Path, pause: Callable[[float], object]) -> Iterator[Workbench]:
    """For a run that wants a fresh start: an embedded stack that is gone afterwards.

    Where the environment chooses another target, that one, as it is. What a failed run leaves in
    its folder is kept, to be looked into.
    """
    if chosen_by_name(os.environ) is not Target.EMBEDDED:
        yield on_target(root)
        return
    say_unused_endpoint(root)
    private.make_folder(root)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=root))
    try:
        with EmbeddedStack(folder, os.environ, pause, partial(click.echo, err=True)) as stack:
            enter(stack.variables)
            yield Workbench.from_environment()
    except InterruptedRunError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def say_unused_endpoint(state: Path) -> None:
    """That the environment's endpoint is left aside, where it is."""
    if said := unused_endpoint(os.environ, embedded(state)):
        click.echo(said, err=True)


def enter_target(state: Path) -> Target:
    """Lead this process's AWS clients to the target that the environment chooses.

    Raises what `target.found` raises, and localstack.NotRunningError.
    """
    target, variables = found(os.environ, state)
    if target is Target.LOCALSTACK:
        localstack.check(variables["AWS_ENDPOINT_URL"])
    if target is Target.AWS and not os.environ.get("TARGET"):
        click.echo(
            f"Working at {os.environ['AWS_ENDPOINT_URL']}, for AWS_ENDPOINT_URL says so; "
            f"TARGET=embedded would lead to the stack in {state}.",
            err=True,
        )
    enter(variables)
    return target


def enter(variables: Mapping[str, str]) -> None:
    """Lead this process's AWS clients to a target: the SDK reads its environment, nothing else."""
    os.environ.update(past_proxies(os.environ))
    if variables:
        environment = isolated(os.environ, variables)
        os.environ.clear()
        os.environ.update(environment)
