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
    from operations.redrive.failed_event import Origin

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
    from operations.redrive.failed_event import Origin

    _list(state, Origin.REJECTED, output)


@click.command("dead-letters", cls=Command)
@output_option
@click.pass_obj
def dead_letters(state: Path, output: str) -> None:
    """List the events that the pipe gave up on.

    For each event you see its ID, when and why the pipe gave up, and its payload from the stream.
    """
    from operations.redrive.failed_event import Origin

    _list(state, Origin.DEAD_LETTERS, output)


def _list(state: Path, origin: Origin, output: str) -> None:
    from inventory_cli.workbench import on_target
    from operations.redrive.failed_event import Origin
    from operations.redrive.service import Redrive
    from operations.redrive.text import event_document, event_lines, hidden_notice

    bench = on_target(embedded(state))
    redrive = Redrive(bench, [origin])
    hidden = redrive.hidden()
    found = redrive.read()
    if output == "text" or (output == "auto" and sys.stdout.isatty()):
        for event in found.events:
            for line in event_lines(event):
                click.echo(line)
        click.echo(f"Events listed: {len(found.events)}")
    else:
        for event in found.events:
            click.echo(json.dumps(event_document(event)))
        if not found.events:
            kind = "rejected events" if origin is Origin.REJECTED else "dead letters"
            click.echo(f"No {kind}.", err=True)
    if found.foreign:
        click.echo(f"Messages that are not from the pipeline: {found.foreign}", err=True)
    if hidden:
        click.echo(hidden_notice(hidden), err=True)
