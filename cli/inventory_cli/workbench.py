"""What the commands have in common: a target to work on, its clients, the resources on it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections import Counter
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
from inventory_cli.invocation import create_missing
from inventory_cli.paths import embedded
from inventory_cli.progress import ProgressLine
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
    """A target, by its clients, and the names and settings of its resources."""

    session: boto3.Session
    clients: Clients
    names: provisioner.Names
    options: provisioner.Options
    billed: bool = False
    """Whether what is made here may cost somebody money: then nobody makes it unasked."""

    @classmethod
    def from_environment(cls, *, billed: bool = False) -> Self:
        """Raises provisioner.SettingsError."""
        names, options = provisioner.settings(os.environ)
        session = boto3.Session()
        return cls(session, Clients.from_session(session), names, options, billed)

    def provision_in_short(self) -> None:
        """Create and update the resources. Print a line about all, and one for each that existed
        and was changed. Raises as `provision` does."""
        started = time.monotonic()
        with ProgressLine(sys.stdout, first=10) as line:
            changes = self.provision(lambda change: line.show(f"Resources: {change} …"))
            line.show(in_short(changes, time.monotonic() - started))
        for change in pending(changes):
            if change.action is not provisioner.Action.CREATED:
                click.echo(f"  {change}")

    @property
    def policy(self) -> RemovalNamePolicy:
        return RemovalNamePolicy(self.options.removal_name_policy)

    def plan(self) -> list[provisioner.Change]:
        """What `provision` would do. Raises as it does."""
        clients = provisioner.Clients.from_session(self.session)
        return provisioner.plan(clients, self.names, self.options, packaged_function())

    def provision(
        self, report: Callable[[provisioner.Change], object], *, agreed: bool = False
    ) -> list[provisioner.Change]:
        """Create and update the resources. Return all changes.

        Raises build_zip.BuildError, provisioner.ProvisioningError or NotBegunError.

        Or UnaskedError, where that costs somebody money, there is something to do and it is not
        `agreed` to.
        """
        if self.billed and not agreed and pending(self.plan()):
            raise UnaskedError(f"Some resources are missing or outdated. {create_missing()}")
        clients = provisioner.Clients.from_session(self.session)
        return provisioner.provision(clients, self.names, self.options, packaged_function(), report)


def in_short(changes: list[provisioner.Change], seconds: float) -> str:
    """Return one line about all resources."""
    counts = Counter(change.action for change in changes)
    told = ", ".join(f"{count} {action}" for action, count in counts.items())
    return f"Resources: {told} ({seconds:.1f} s)"


class UnaskedError(Exception):
    """Creating the resources may cost money, and nobody was asked."""


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
    provisioner.settings(os.environ)  # if one is wrong, nothing is started
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
    """Say that the endpoint of the environment is ignored, if it is."""
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
            f"Using AWS_ENDPOINT_URL={os.environ['AWS_ENDPOINT_URL']}. For the stack in {state}, "
            "set TARGET=embedded.",
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
