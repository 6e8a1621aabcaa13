"""`inventory deploy`, `inventory destroy` and `inventory package`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from deploy.package import build
from deploy.stack import Report
from embedded.interrupts import announced
from inventory_cli.context import packaged_function, running_pipeline
from inventory_cli.errors import CannotRunError
from inventory_cli.target import Target
from producer.usage import Command

CLOUDFORMATION_GOES_ON = "CloudFormation goes on with what it has begun."

_verbose = click.option("--verbose", is_flag=True, help="Print a line for each resource.")


@click.command(cls=Command)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation. Resources may cost money.")
@_verbose
@click.pass_obj
def deploy(state: Path, yes: bool, verbose: bool) -> None:
    """Create or update the resources, with CloudFormation.

    With TARGET=aws, or at your own AWS_ENDPOINT_URL, the command first prints the account, the
    changes and what costs money while idle, and asks for confirmation.
    """
    context = running_pipeline(state)
    report = Report(click.echo, verbose=verbose)

    def ask(plan: str) -> None:
        if context.target is Target.AWS:
            click.echo(plan)
            if not yes:
                _check_terminal("The resources may cost money", "create them")
                click.confirm("Go ahead?", abort=True)

    with announced(CLOUDFORMATION_GOES_ON):
        context.deployment.deploy(packaged_function(), ask, report, partial(click.echo, err=True))
    click.echo(f"Stage {context.names.stage}: {report}")


@click.command(cls=Command)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@_verbose
@click.pass_obj
def destroy(state: Path, yes: bool, verbose: bool) -> None:
    """Delete the resources and all their data.

    The command deletes the CloudFormation stack of the stage.
    """
    context = running_pipeline(state)
    names, deployment = context.names, context.deployment
    if not yes:
        _check_terminal("This deletes data", "delete")
        click.confirm(
            f"Delete {names.pipe}, {names.function}, {names.stream}, {names.table} and all other "
            f"resources of the stage {names.stage} in account {deployment.account}, Region "
            f"{context.clients.session.region_name}, and all their data?",
            abort=True,
        )
    report = Report(click.echo, verbose=verbose)
    with announced(CLOUDFORMATION_GOES_ON):
        deployment.destroy(report)
    click.echo(f"Nothing of the stage {names.stage} is left.")


def _check_terminal(warning: str, action: str) -> None:
    if not sys.stdin.isatty():
        raise CannotRunError(
            f"{warning}, and there is no terminal to ask for confirmation. "
            f"To {action} anyway, add --yes."
        )


@click.command(cls=Command)
@click.argument(
    "zip_file",
    metavar="[ZIP]",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("dist/inventory-processor.zip"),
)
def package(zip_file: Path) -> None:
    """Build the functions' zip.

    It includes all dependencies. The same source always gives the same bytes.
    """
    click.echo(build(zip_file))
