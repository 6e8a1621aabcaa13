"""`inventory provision`, `inventory destroy` and `inventory package`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventory_cli.errors import CannotRunError
from inventory_cli.paths import embedded

if TYPE_CHECKING:
    from inventory_cli.workbench import Workbench


@click.command()
@click.option("--plan", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, where resources cost money.")
@click.option("--dry-run", is_flag=True, help="Print the API calls that would be made.")
@click.pass_obj
def provision(state: Path, plan: bool, yes: bool, dry_run: bool) -> None:
    """Create what is missing, update what has drifted, leave alone what is right.

    With TARGET=aws it says first where, what, and what that costs a month, has IAM say whether you
    may do all of it, and asks.
    --dry-run prints each call that would change something, in order: service, operation and its
    parameters as JSON. Neither it nor --plan changes anything.
    """
    import provisioner
    from inventory_cli.workbench import on_target, packaged_function

    bench = on_target(embedded(state))
    if dry_run:
        clients = provisioner.Clients.from_session(bench.session)
        for call in provisioner.dry_run(clients, bench.names, bench.options, packaged_function()):
            click.echo(call)
    elif plan:
        click.echo(provisioner.render_plan(bench.plan()))
    elif not bench.billed or _agreed(bench, yes):
        bench.provision(click.echo, agreed=True)


def _agreed(bench: Workbench, yes: bool) -> bool:
    """Whether there is something to do, and whoever pays for it wants it done."""
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
        click.echo(f"Whether you may do all of that is not known before: {beforehand.unknown}")
    if not yes:
        if not sys.stdin.isatty():
            raise CannotRunError(
                "provision makes what costs money and nobody can be asked: pass --yes"
            )
        click.confirm("Go ahead?", abort=True)
    return True


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def destroy(state: Path, yes: bool) -> None:
    """Delete what `inventory provision` made, and all data in it.

    What has the tags of the stage goes, under whatever name, and nothing else; what has to be left
    is said, with why.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    import provisioner
    from inventory_cli.workbench import on_target
    from provisioner.errors import explain

    bench = on_target(embedded(state))
    names = bench.names
    clients = provisioner.Clients.from_session(bench.session)
    account = provisioner.whose(clients)
    if not yes:
        if not sys.stdin.isatty():
            raise CannotRunError("destroy deletes data and nobody can be asked: pass --yes")
        click.confirm(
            f"Delete {names.pipe}, {names.function}, {names.stream}, {names.table} and all else of "
            f"the stage {names.stage} in account {account.id}, Region {account.region}, with all "
            "data?",
            abort=True,
        )
    try:
        tagged = provisioner.tagged(bench.session, names.stage)
    except (BotoCoreError, ClientError) as error:
        click.echo(f"Only what has the names of now is looked for: {explain(error)}", err=True)
        tagged = frozenset()
    done = provisioner.destroy(clients, names, bench.options, click.echo, tagged=tagged)
    left = sum(change.action is provisioner.Action.KEPT for change in done)
    click.echo(f"{left} left, see above" if left else f"nothing of the stage {names.stage} is left")


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
