"""`inventory env`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from embedded.environment import overriding, past_proxies
from inventory_cli.errors import CannotRunError
from inventory_cli.target import Target, named_target, variables_of
from producer.usage import Command


@click.command(cls=Command)
@click.pass_obj
def env(state: Path) -> None:
    """Print the variables that connect a shell to the pipeline.

    Run eval "$(make env)". AWS tools in that shell then use the servers that `up` started, or
    with TARGET=localstack the containers. Other AWS variables of the shell are unset.
    """
    target = named_target(os.environ)
    if target is Target.AWS:
        raise CannotRunError(
            "With TARGET=aws there is nothing to set: your shell's own AWS variables apply."
        )
    found = variables_of(target, os.environ, state)
    if others := sorted(overriding(os.environ, found)):
        click.echo(f"unset {shlex.join(others)}")
    for name, value in {**past_proxies(os.environ), **found}.items():
        click.echo(f"export {name}={shlex.quote(value)}")
