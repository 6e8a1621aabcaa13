"""`inventory scenario`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from inventory_cli.errors import FailedError
from producer.usage import Command


@click.command(cls=Command)
@click.argument(
    "events_file",
    metavar="[FILE]",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path("DynamodbTableStatus.txt"),
    show_default=True,
    callback=lambda _context, _option, given: _in_a_writable_folder(given),
    help="The file to write the tables and events to.",
)
@click.pass_obj
def scenario(state: Path, events_file: Path | None, output: Path) -> None:
    """Send a few events one by one and show the table.

    It writes each event, with the table before and after it, to a file. The documented scenario
    adds seven products, then does six operations. For a scenario of your own, write one JSON event
    per line in FILE. On the embedded target the command starts servers of its own and deletes
    their data at the end.
    """
    from embedded.interrupts import Interrupts
    from inventory_aws.shown import shown
    from inventory_cli.scenario import Player, StuckError, documented, from_lines, status_file
    from inventory_cli.workbench import on_own_target
    from operations.words import counted

    preparation = documented("documented-table") if events_file is None else []
    events = (
        documented("documented-operations")
        if events_file is None
        else from_lines(str(events_file), events_file.read_bytes())
    )

    with Interrupts("") as interrupts, on_own_target(state, interrupts.pause) as bench:
        bench.deploy_in_short()
        interrupts.check()
        player = Player(bench.clients, bench.names, bench.policy, interrupts.pause)
        try:
            if preparation:
                player.send(preparation)
                click.echo(f"Added {counted(len(preparation), 'product')}")
            before = player.rows()
            operations = []
            for event in events:
                operations.append(operation := player.play(event))
                click.echo(
                    f"{operation.outcome:<10} {event.kind} {shown(event.partition_key)}: "
                    f"{counted(len(operation.after), 'row')}"
                )
        except StuckError as error:
            raise FailedError(str(error)) from error
        output.write_text("\n".join(status_file(before, operations)) + "\n", encoding="utf-8")
        problems = player.problems()
        for problem in problems:
            click.echo(f"  wrong: {problem}")
        if problems:
            raise FailedError("The table is not what the events should produce (see above).")
    click.echo(f"The table is right. Each event and the table after it are in {output}.")


def _in_a_writable_folder(output: Path) -> Path:
    if not os.access(output.parent, os.W_OK):
        raise click.BadParameter(f"cannot write to the folder {output.parent}")
    return output
