"""`inventory table` and `inventory env`."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inventory_cli.errors import CannotRunError
from inventory_cli.paths import embedded
from producer.usage import Command

if TYPE_CHECKING:
    from inventory_cli.workbench import Workbench

LOOK_SECONDS = 0.25
FRAME_LINES = 6
"""Of a table on a terminal, the lines that are no rows."""


@click.command(cls=Command)
@click.option(
    "--output",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    show_default=True,
    help="A table or JSON lines. auto: a table on a terminal, else JSON lines.",
)
@click.option("--watch", is_flag=True, help="Show changes as they happen, until Ctrl+C.")
@click.pass_obj
def table(state: Path, output: str, watch: bool) -> None:
    """Print the rows of the table.

    With --watch, a terminal shows the rows as they change. With --output jsonl, the command
    prints the rows, then a line for each change.
    """
    from inventory_cli.console import PlainConsole
    from inventory_cli.workbench import on_target
    from operations import table as rows_of
    from operations.words import counted

    terminal = sys.stdout.isatty()
    as_table = output == "text" or (output == "auto" and terminal)
    if watch and as_table and not terminal:
        raise CannotRunError("--watch needs a terminal. Elsewhere, add --output jsonl.")
    bench = on_target(embedded(state))
    if watch:
        _watch(bench, as_table)
        return
    rows = rows_of.read(bench.clients.dynamodb, bench.names.table).values()
    if as_table:
        PlainConsole(highlight=False).print(rows_of.rendered(rows))
        click.echo(counted(len(rows), "row"))
        return
    for row in rows:
        click.echo(json.dumps(rows_of.values(row)))


def _watch(bench: Workbench, as_table: bool) -> None:
    from rich.live import Live

    from embedded.interrupts import InterruptedRunError, Interrupts
    from inventory_cli import watching
    from inventory_cli.console import PlainConsole
    from operations import table as rows_of
    from operations.failures.stream import READERS_CONFIG
    from operations.table_stream.follower import TableFollower
    from operations.table_stream.shard import Start

    streams = bench.session.client("dynamodbstreams", config=READERS_CONFIG)
    console = PlainConsole(highlight=False)
    live = Live(console=console, screen=True, auto_refresh=False, redirect_stderr=False)
    try:
        with Interrupts() as interrupts, live if as_table else nullcontext():
            follower = TableFollower(streams, bench.names.table, start=Start.NEWEST)
            early = follower.look()  # its place is taken before the table is read
            watched = watching.Watched(rows_of.read(bench.clients.dynamodb, bench.names.table))
            if not as_table:
                _tell(rows_of.values(row) for row in watched.rows.values())
            news = watched.take(early, time.monotonic())
            while True:
                if as_table:
                    rows = watched.shown(console.height - FRAME_LINES, time.monotonic())
                    live.update(watching.rendered(rows, len(watched.rows)), refresh=True)
                else:
                    _tell(watching.told(record) for record in news)
                interrupts.pause(LOOK_SECONDS)
                news = watched.take(follower.look(), time.monotonic())
    except InterruptedRunError:
        pass


def _tell(values: Iterable[Mapping[str, Any]]) -> None:
    for each in values:
        click.echo(json.dumps(each))


@click.command(cls=Command)
@click.pass_obj
def env(state: Path) -> None:
    """Print the variables that connect a shell to the pipeline.

    Run eval "$(make env)". AWS tools in that shell then use the servers that `up` started, or
    with TARGET=localstack the containers. Other AWS variables of the shell are unset.
    """
    from embedded.environment import overriding, past_proxies
    from inventory_cli.target import variables_of_a_shell

    found = variables_of_a_shell(os.environ, embedded(state))
    if others := sorted(overriding(os.environ, found)):
        click.echo(f"unset {shlex.join(others)}")
    for name, value in {**past_proxies(os.environ), **found}.items():
        click.echo(f"export {name}={shlex.quote(value)}")
