"""`inventory deploy`, `inventory destroy` and `inventory package`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from inventory_cli.errors import CannotRunError
from inventory_cli.paths import embedded
from producer.usage import Command

_verbose = click.option("--verbose", is_flag=True, help="Print a line for each resource.")


@click.command(cls=Command)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation. Resources may cost money.")
@_verbose
@click.pass_obj
def deploy(state: Path, yes: bool, verbose: bool) -> None:
    """Create or update the resources, with CloudFormation.

    With TARGET=aws, the command first prints the account, the changes and what costs money while
    idle, and asks for confirmation.
    """
    from deploy.stack import Report
    from embedded.interrupts import announced
    from inventory_cli.workbench import on_target, packaged_function

    bench = on_target(embedded(state))
    report = Report(click.echo, verbose=verbose)

    def ask(plan: str) -> None:
        if bench.billed:
            _ask(plan, yes)

    with announced("CloudFormation goes on with what it has begun."):
        bench.deployment.deploy(packaged_function(), ask, report, partial(click.echo, err=True))
    click.echo(f"Stage {bench.names.stage}: {report}")


def _ask(plan: str, yes: bool) -> None:
    """Print the plan. Raises click.Abort on no."""
    click.echo(plan)
    if yes:
        return
    if not sys.stdin.isatty():
        raise CannotRunError(
            "The resources may cost money, and there is no terminal to ask for confirmation. "
            "To create them anyway, add --yes."
        )
    click.confirm("Go ahead?", abort=True)


@click.command(cls=Command)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@_verbose
@click.pass_obj
def destroy(state: Path, yes: bool, verbose: bool) -> None:
    """Delete the resources and all their data.

    The command deletes the CloudFormation stack of the stage.
    """
    from deploy.stack import Report
    from embedded.interrupts import announced
    from inventory_cli.workbench import on_target

    bench = on_target(embedded(state))
    names = bench.names
    if not yes:
        if not sys.stdin.isatty():
            raise CannotRunError(
                "This deletes data, and there is no terminal to ask for confirmation. To delete "
                "anyway, add --yes."
            )
        account = bench.deployment.account
        click.confirm(
            f"Delete {names.pipe}, {names.function}, {names.stream}, {names.table} and all other "
            f"resources of the stage {names.stage} in account {account}, Region "
            f"{bench.clients.session.region_name}, and all their data?",
            abort=True,
        )
    report = Report(click.echo, verbose=verbose)
    with announced("CloudFormation goes on with what it has begun."):
        bench.deployment.destroy(report)
    click.echo(f"Nothing of the stage {names.stage} is left.")


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
    from deploy import package

    click.echo(package.build(zip_file))
