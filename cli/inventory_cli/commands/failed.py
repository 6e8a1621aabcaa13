"""`inventory rejected` and `inventory dead-letters`: list the failed events."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from inventory_cli.context import running_pipeline
from operations.redrive import showing
from operations.redrive.inbox import inbox
from operations.redrive.item import Origin
from producer.usage import Command

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
    _list(state, Origin.REJECTED, output)


@click.command("dead-letters", cls=Command)
@output_option
@click.pass_obj
def dead_letters(state: Path, output: str) -> None:
    """List the events that the pipe gave up on.

    For each event you see its ID, when and why the pipe gave up, and its payload from the stream.
    """
    _list(state, Origin.DEAD_LETTERS, output)


def _list(state: Path, origin: Origin, output: str) -> None:
    queue = inbox(running_pipeline(state), [origin])
    hidden = queue.hidden()
    contents = queue.look()
    if output == "text" or (output == "auto" and sys.stdout.isatty()):
        for event in contents.items:
            for line in showing.lines(event):
                click.echo(line)
        click.echo(f"Events listed: {len(contents.items)}")
    else:
        for event in contents.items:
            click.echo(json.dumps(showing.document(event)))
    if contents.foreign:
        click.echo(f"Messages that are not from the pipeline: {contents.foreign}", err=True)
    if hidden:
        click.echo(showing.hidden(hidden), err=True)
