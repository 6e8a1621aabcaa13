"""`inventory rejected` and `inventory dead-letters`: what did not get its way."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventory_cli.paths import embedded

if TYPE_CHECKING:
    from inventory_cli.redrive.item import Origin

output_option = click.option(
    "--output",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    show_default=True,
    help="For people, or JSON lines with whole payloads; auto: for people on a terminal.",
)


@click.command()
@output_option
@click.pass_obj
def rejected(state: Path, output: str) -> None:
    """List the events that the function rejected: when, why, and what they were."""
    from inventory_cli.redrive.item import Origin

    _list(state, Origin.REJECTED, output)


@click.command("dead-letters")
@output_option
@click.pass_obj
def dead_letters(state: Path, output: str) -> None:
    """List the events that the pipe gave up on, with their payloads, read from the stream."""
    from inventory_cli.redrive.item import Origin

    _list(state, Origin.DEAD_LETTERS, output)


def _list(state: Path, origin: Origin, output: str) -> None:
    from inventory_cli.redrive import showing
    from inventory_cli.redrive.inbox import inbox
    from inventory_cli.workbench import on_target

    bench = on_target(embedded(state))
    contents = inbox(bench, [origin]).look()
    if output == "text" or (output == "auto" and sys.stdout.isatty()):
        for item in contents.items:
            for line in showing.lines(item):
                click.echo(line)
        click.echo(f"{len(contents.items)} in {origin}")
    else:
        for item in contents.items:
            click.echo(json.dumps(showing.document(item)))
    if contents.foreign:
        click.echo(f"{contents.foreign} more messages are none of the pipeline's", err=True)
