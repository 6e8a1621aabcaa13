"""`inventory rejected` and `inventory dead-letters`: list the failed events."""

from __future__ import annotations

import json
from pathlib import Path

import click

from inventory_cli.context import running_pipeline
from inventory_cli.output import output_option
from operations.redrive import showing
from operations.redrive.inbox import inbox
from operations.redrive.item import Origin
from producer.usage import Command


@click.command(cls=Command)
@output_option
@click.pass_obj
def rejected(state: Path, as_text: bool) -> None:
    """List the events that the function rejected.

    For each event you see its ID, when and why it was rejected, and its payload.
    """
    _list(state, Origin.REJECTED, as_text)


@click.command("dead-letters", cls=Command)
@output_option
@click.pass_obj
def dead_letters(state: Path, as_text: bool) -> None:
    """List the events that the pipe gave up on.

    For each event you see its ID, when and why the pipe gave up, and its payload from the stream.
    """
    _list(state, Origin.DEAD_LETTERS, as_text)


def _list(state: Path, origin: Origin, as_text: bool) -> None:
    queue = inbox(running_pipeline(state), [origin])
    hidden = queue.hidden()
    contents = queue.look()
    for event in contents.items:
        lines = showing.lines(event) if as_text else [json.dumps(showing.document(event))]
        click.echo("\n".join(lines))
    click.echo(f"Events listed: {len(contents.items)}", err=not as_text)
    if contents.foreign:
        click.echo(f"Messages that are not from the pipeline: {contents.foreign}", err=True)
    if hidden:
        click.echo(showing.hidden(hidden), err=True)
