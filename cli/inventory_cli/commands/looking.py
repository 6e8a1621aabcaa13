"""`inventory table` and `inventory env`: what is there."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import click

from inventory_cli.paths import embedded


@click.command()
@click.option(
    "--output",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    show_default=True,
    help="A table, or JSON lines; auto: a table on a terminal.",
)
@click.pass_obj
def table(state: Path, output: str) -> None:
    """Print the rows of the table."""
    from rich.console import Console

    from inventory_cli import table as rows_of
    from inventory_cli.workbench import on_target

    bench = on_target(embedded(state))
    rows = rows_of.read(bench.clients.dynamodb, bench.names.table).values()
    if output == "text" or (output == "auto" and sys.stdout.isatty()):
        Console(highlight=False).print(rows_of.rendered(rows))
        click.echo(f"{len(rows)} rows")
        return
    for row in rows:
        click.echo(json.dumps(rows_of.values(row)))


@click.command()
@click.pass_obj
def env(state: Path) -> None:
    """Print the variables of the running stack: eval "$(inventory env)"."""
    from inventory_cli.target import variables

    for name, value in variables(os.environ, embedded(state)).items():
        click.echo(f"export {name}={shlex.quote(value)}")
