"""`inventory provision`, `inventory destroy` and `inventory package`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from inventory_cli.errors import CannotRunError
from inventory_cli.paths import embedded


@click.command()
@click.option("--plan", is_flag=True, help="Say what would be done, and do nothing.")
@click.pass_obj
def provision(state: Path, plan: bool) -> None:
    """Create what is missing, update what has drifted, leave alone what is right."""
    import provisioner
    from inventory_cli.workbench import on_target, packaged_function

    bench = on_target(embedded(state))
    if plan:
        clients = provisioner.Clients.from_session(bench.session)
        changes = provisioner.plan(clients, bench.names, bench.options, packaged_function())
        click.echo(provisioner.render_plan(changes))
    else:
        bench.provision(click.echo)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def destroy(state: Path, yes: bool) -> None:
    """Delete what `inventory provision` made, and all data in it."""
    import provisioner
    from inventory_cli.workbench import on_target

    bench = on_target(embedded(state))
    names = bench.names
    if not yes:
        if not sys.stdin.isatty():
            raise CannotRunError("destroy deletes data and nobody can be asked: pass --yes")
        click.confirm(
            f"Delete {names.pipe}, {names.function}, {names.stream}, {names.table} and what "
            "belongs to them, with all their data?",
            abort=True,
        )
    clients = provisioner.Clients.from_session(bench.session)
    provisioner.destroy(clients, names, bench.options, click.echo)


@click.command()
@click.argument(
    "zip_file",
    metavar="[ZIP]",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("dist/inventory-processor.zip"),
)
def package(zip_file: Path) -> None:
    """Write the function's zip, dependencies inside: the same input gives the same bytes."""
    import build_zip

    click.echo(build_zip.build(zip_file))
