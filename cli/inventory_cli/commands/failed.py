"""`inventory rejected` and `inventory dead-letters`: list the failed events."""

from __future__ import annotations

import json
from pathlib import Path

import click

from inventory_cli.context import running_pipeline
from inventory_cli.output import output_option
from operations.redrive.failed_event import Origin
from operations.redrive.service import Redrive
from operations.redrive.text import event_document, event_lines, hidden_notice
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
    redrive = Redrive(running_pipeline(state), [origin])
    hidden = redrive.hidden()
    found = redrive.read()
    for event in found.events:
        lines = event_lines(event) if as_text else [json.dumps(event_document(event))]
        click.echo("\n".join(lines))
    click.echo(f"Events listed: {len(found.events)}", err=not as_text)
    if found.foreign:
        click.echo(f"Messages that are not from the pipeline: {found.foreign}", err=True)
    if hidden:
        click.echo(hidden_notice(hidden), err=True)
