"""What the commands have in common: a target to work on, its clients, the resources on it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import click

from deploy import package
from deploy.deployment import Deployment
from deploy.settings import Settings, of_resources
from deploy.stack import Report
from embedded import private
from embedded.environment import isolated, past_proxies
from embedded.interrupts import InterruptedRunError
from embedded.stack import EmbeddedStack
from inventory_cli import localstack
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
from operations.access import Access
from producer.connect import connect
from producer.usage import RefusedError

ZIP_NAME = "inventory-processor.zip"


@dataclass(frozen=True, slots=True)
class Workbench(Access):
    """A target: access to its pipeline, and the settings to deploy it with."""

    settings: Settings
    billed: bool = False
    """Whether what is made here may cost somebody money: then nobody makes it unasked."""

    @classmethod
    def from_environment(cls, *, billed: bool = False) -> Self:
        """Raises SettingsError."""
        settings = Settings.from_env(os.environ)
        access = Access.from_env(os.environ)
        return cls(access.session, access.clients, access.names, access.policy, settings, billed)

    @property
    def deployment(self) -> Deployment:
        return Deployment(self.session, self.settings, os.environ)

    def has_stream(self) -> bool:
        """Whether there is a stream that takes records."""
        try:
            connect(self.names.stream)
        except RefusedError:
            return False
        return True

    def deploy_in_short(self) -> None:
        """Create and update the resources. Print a line about all.

        Raises as `Deployment.deploy` does, package.BuildError, and UnaskedError where it would
        cost somebody money.
        """
        started = time.monotonic()
        warnings: list[str] = []
        with ProgressLine(sys.stdout, first=10) as line:
            report = Report(lambda told: line.show(f"Resources: {told} …"))
            self.deployment.deploy(
                packaged_function(), self._refuse_if_billed, report, warnings.append
            )
            line.show(f"Resources: {report} ({time.monotonic() - started:.1f} s)")
        for warning in warnings:
            click.echo(warning, err=True)

    def _refuse_if_billed(self, plan: str) -> None:
        if self.billed:
            raise UnaskedError(f"Some resources are missing or outdated. {create_missing()}")


class UnaskedError(Exception):
    """Creating the resources may cost money, and nobody was asked."""


def packaged_function() -> bytes:
    """Return the functions' zip: the file FUNCTION_ZIP of our image, or else one built now."""
    if built := os.environ.get("FUNCTION_ZIP"):
        return Path(built).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        return package.build(Path(folder) / ZIP_NAME).read_bytes()


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
    Settings.from_env(os.environ)  # if one is wrong, nothing is started
    private.make_folder(root)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=root))
    try:
        tell, settings = partial(click.echo, err=True), of_resources(os.environ)
        with EmbeddedStack(folder, os.environ, pause, tell, settings=settings) as stack:
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
