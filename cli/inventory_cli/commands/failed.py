"""`inventory rejected` and `inventory dead-letters`: list the failed events."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventory_cli.paths import embedded
from producer.usage import Command

if TYPE_CHECKING:
    from operations.redrive.item import Origin

output_option = click.option(
    "--output",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    show_default=True,
    help="Text, or JSON lines with whole payloads. auto: text on a terminal, else JSON lines.",
)


@click.command(cls=Command)
@output_option
@click.pass_obj
def rejected(state: Path, output: str) -> None:
    """List the events that the function rejected.

    For each event you see its ID, when and why it was rejected, and its payload.
    """
    from operations.redrive.item import Origin

    _list(state, Origin.REJECTED, output)


@click.command("dead-letters", cls=Command)
@output_option
@click.pass_obj
def dead_letters(state: Path, output: str) -> None:
    """List the events that the pipe gave up on.

    For each event you see its ID, when and why the pipe gave up, and its payload from the stream.
    """
    from operations.redrive.item import Origin

    _list(state, Origin.DEAD_LETTERS, output)


def _list(state: Path, origin: Origin, output: str) -> None:
    from inventory_cli.progress import reading_messages
    from inventory_cli.workbench import on_target
    from operations.redrive import showing
    from operations.redrive.inbox import inbox
    from operations.redrive.item import Origin

    bench = on_target(embedded(state))
    queues = inbox(bench, [origin])
    hidden = queues.hidden()
    with reading_messages() as found_so_far:
        contents = queues.look(found_so_far)
    if output == "text" or (output == "auto" and sys.stdout.isatty()):
        for item in contents.items:
            for line in showing.lines(item):
                click.echo(line)
        click.echo(f"Events listed: {len(contents.items)}")
    else:
        for item in contents.items:
            click.echo(json.dumps(showing.document(item)))
        if not contents.items:
            kind = "rejected events" if origin is Origin.REJECTED else "dead letters"
            click.echo(f"No {kind}.", err=True)
    if contents.foreign:
        click.echo(f"Messages that are not from the pipeline: {contents.foreign}", err=True)
    if hidden:
        click.echo(showing.hidden(hidden), err=True)
