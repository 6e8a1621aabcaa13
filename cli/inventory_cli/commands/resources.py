"""`inventory provision`, `inventory destroy` and `inventory package`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventory_cli.errors import CannotRunError
from inventory_cli.paths import embedded
from producer.usage import Command

if TYPE_CHECKING:
    from inventory_cli.workbench import Workbench


@click.command(cls=Command)
@click.option("--plan", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation. Resources may cost money.")
@click.option("--dry-run", is_flag=True, help="Print the API calls that would change something.")
@click.pass_obj
def provision(state: Path, plan: bool, yes: bool, dry_run: bool) -> None:
    """Create or update the resources.

    With TARGET=aws, the command first prints the account, the changes and their monthly cost. It
    checks your permissions with IAM's policy simulator, then asks for confirmation. --dry-run
    prints the calls in order: service, operation, and parameters as JSON.
    """
    import provisioner
    from inventory_cli.interrupts import announced
    from inventory_cli.workbench import on_target, packaged_function

    bench = on_target(embedded(state))
    if dry_run:
        clients = provisioner.Clients.from_session(bench.session)
        for call in provisioner.dry_run(clients, bench.names, bench.options, packaged_function()):
            click.echo(call)
    elif plan:
        click.echo(provisioner.render_plan(bench.plan()))
    elif not bench.billed or _agreed(bench, yes):
        with announced("Waiting for calls in progress."):
            bench.provision(click.echo, agreed=True)


def _agreed(bench: Workbench, yes: bool) -> bool:
    """Return whether there is something to do and the user agreed to it."""
    import provisioner
    from inventory_cli.planning.idle import monthly
    from inventory_cli.workbench import pending
    from provisioner.permissions.preflight import preflight

    clients = provisioner.Clients.from_session(bench.session)
    account = provisioner.whose(clients)
    changes = bench.plan()
    click.echo(f"Account {account.id}, Region {account.region}, stage {bench.names.stage}")
    click.echo(provisioner.render_plan(changes))
    if not pending(changes):
        return False
    kinds = Counter(change.resource.partition(" ")[0] for change in changes)
    click.echo(monthly(account.region, bench.options.stream_shards, kinds))
    beforehand = preflight(clients, bench.names, bench.options, changes)
    if beforehand.denied:
        raise CannotRunError(f"you may not {', '.join(beforehand.denied)}; nothing was changed")
    if beforehand.unknown:
        click.echo(f"Your permissions cannot be checked first: {beforehand.unknown}")
    if not yes:
        if not sys.stdin.isatty():
            raise CannotRunError(
                "The resources may cost money, and there is no terminal to ask for confirmation. "
                "To create them anyway, add --yes."
            )
        click.confirm("Go ahead?", abort=True)
    return True


@click.command(cls=Command)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def destroy(state: Path, yes: bool) -> None:
    """Delete the resources and all their data.

    The command deletes exactly the resources that have the tags of the stage. It lists what it
    cannot delete, and why.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    import provisioner
    from inventory_cli.interrupts import announced
    from inventory_cli.progress import counted
    from inventory_cli.workbench import on_target
    from provisioner.errors import explain

    bench = on_target(embedded(state))
    names = bench.names
    clients = provisioner.Clients.from_session(bench.session)
    account = provisioner.whose(clients)
    if not yes:
        if not sys.stdin.isatty():
            raise CannotRunError(
                "This deletes data, and there is no terminal to ask for confirmation. To delete "
                "anyway, add --yes."
            )
        click.confirm(
            f"Delete {names.pipe}, {names.function}, {names.stream}, {names.table} and all other "
            f"resources of the stage {names.stage} in account {account.id}, Region "
            f"{account.region}, and all their data?",
            abort=True,
        )
    try:
        tagged = provisioner.tagged(bench.session, names.stage)
    except (BotoCoreError, ClientError) as error:
        click.echo(f"Only resources with today's names can be found: {explain(error)}", err=True)
        tagged = frozenset()
    with announced("Waiting for calls in progress."):
        done = provisioner.destroy(clients, names, bench.options, click.echo, tagged=tagged)
    left = sum(change.action is provisioner.Action.KEPT for change in done)
    click.echo(
        f"{counted(left, 'resource')} left (see above)"
        if left
        else f"nothing of the stage {names.stage} is left"
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
    import build_zip

    click.echo(build_zip.build(zip_file))
