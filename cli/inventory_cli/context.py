"""The pipeline that a command works on."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
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
from embedded.interrupts import InterruptedRunError
from embedded.stack import EmbeddedStack
from inventory_cli.errors import CannotRunError
from inventory_cli.invocation import create_missing
from inventory_cli.progress import ProgressLine
from inventory_cli.target import Target, enter, enter_target, named_target
from operations.access import Access

Pause = Callable[[float], object]


@dataclass(frozen=True, slots=True)
class Context(Access):
    """A pipeline on a target, and the settings to deploy it with."""

    settings: Settings
    target: Target

    @classmethod
    def from_environment(cls, target: Target) -> Self:
        """Raises SettingsError."""
        settings = Settings.from_env(os.environ)
        access = Access.from_env(os.environ)
        return cls(access.clients, access.names, access.policy, settings, target)

    @property
    def deployment(self) -> Deployment:
        return Deployment(self.clients.session, self.settings, os.environ)

    def deploy(self) -> None:
        """Create and update the resources, and print one line about them.

        Raises as `Deployment.deploy` does, package.BuildError, and CannotRunError on AWS if
        something would change: it may cost money, and nobody was asked.
        """
        started = time.monotonic()
        with ProgressLine(sys.stdout, first=10) as line:
            report = Report(lambda done: line.show(f"Resources: {done} …"))
            self.deployment.deploy(packaged_function(), self._refuse_on_aws, report, line.note)
            line.show(f"Resources: {report} ({time.monotonic() - started:.1f} s)")

    def _refuse_on_aws(self, plan: str) -> None:
        if self.target is Target.AWS:
            raise CannotRunError(f"Some resources are missing or outdated. {create_missing()}")


def packaged_function() -> bytes:
    """Return the functions' zip: the file FUNCTION_ZIP of our image, or else one built now."""
    if built := os.environ.get("FUNCTION_ZIP"):
        return Path(built).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        return package.build(Path(folder) / "inventory-processor.zip").read_bytes()


def running_pipeline(state: Path) -> Context:
    """Return the pipeline on the running servers that the environment chooses.

    Raises as `enter_target` does.
    """
    return Context.from_environment(enter_target(state))


@contextmanager
def own_pipeline(state: Path, pause: Pause) -> Iterator[Context]:
    """Start embedded servers for one run, and delete their data after it, unless the run failed.

    With another TARGET, give the pipeline there.
    """
    if named_target(os.environ) is not Target.EMBEDDED:
        yield running_pipeline(state)
        return
    Settings.from_env(os.environ)  # if one is wrong, nothing is started
    private.make_folder(state)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=state))
    try:
        warn, settings = partial(click.echo, err=True), of_resources(os.environ)
        with EmbeddedStack(folder, os.environ, pause, warn, settings=settings) as servers:
            enter(servers.variables)
            yield Context.from_environment(Target.EMBEDDED)
    except InterruptedRunError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
