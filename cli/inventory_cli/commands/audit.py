"""`inventory audit`."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventory_cli.errors import CannotRunError
from inventory_cli.paths import embedded
from producer.usage import Command

if TYPE_CHECKING:
    from inventory_cli.audit.log import LogReader
    from inventory_cli.audit.views import Choice, View
    from inventory_cli.workbench import Workbench

LOOK_SECONDS = 0.25
LINES_AT_ONCE = 1000


@click.command(cls=Command)
@click.option("--follow", is_flag=True, help="Show new changes as they happen, until Ctrl+C.")
@click.option("--product", metavar="ID", help="Show only the changes of this product.")
@click.option(
    "--since",
    metavar="TIME",
    callback=lambda _context, _option, given: _moment(given),
    help="Show changes since this time: 90s, 10m, 2h or 3d ago, or an ISO 8601 time in UTC.",
)
@click.option(
    "--output",
    type=click.Choice(["auto", "text", "jsonl", "status"]),
    default="auto",
    show_default=True,
    help="Text, JSON lines, or the layout of DynamodbTableStatus.txt. auto: text on a terminal, "
    "else JSON lines.",
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The log file, JSON lines.  [default: one for each table, in the state folder]",
)
@click.pass_obj
def audit(
    state: Path,
    follow: bool,
    product: str | None,
    since: str | None,
    output: str,
    log: Path | None,
) -> None:
    """Record every change of the table, and show the log.

    Each run continues the log where the last one ended. The table's stream keeps changes for 24
    hours: run the command at least that often, and the log has every change exactly once. The
    options choose what is shown; everything is recorded.
    """
    from embedded.interrupts import InterruptedRunError, Interrupts
    from inventory_cli.audit.log import BrokenLogError, LogReader
    from inventory_cli.audit.recorder import OtherTableError, Recorder
    from inventory_cli.audit.views import Choice
    from inventory_cli.target import chosen
    from inventory_cli.workbench import on_target

    choice = Choice(product, since)
    target = chosen(os.environ)
    bench = on_target(embedded(state))
    table = bench.clients.dynamodb.describe_table(TableName=bench.names.table)["Table"]["TableArn"]
    path = log or state / "audit" / _name(target, table)
    streams = bench.clients.table_stream_reader
    try:
        with Interrupts() as interrupts, Recorder(streams, table, path, _note) as recorder:
            view = _view(output, bench, choice)
            while recorder.look() or not recorder.at_end:
                interrupts.check()
            log_file = LogReader(path)
            _show(view, choice, log_file)
            while follow:
                interrupts.pause(0 if recorder.look() else LOOK_SECONDS)
                _show(view, choice, log_file)
    except InterruptedRunError:
        if not follow:
            raise
    except (BrokenLogError, OtherTableError) as error:
        raise CannotRunError(str(error)) from error


def _moment(text: str | None) -> str | None:
    from inventory_cli.audit import moments

    try:
        return text and moments.since(text, datetime.now(UTC))
    except (ValueError, OverflowError):
        raise click.BadParameter(
            "must be a time, such as 2026-01-31T12:00, or how long ago, such as 10m"
        ) from None


def _name(target: str, table: str) -> str:
    """A file for each table: targets, regions and accounts have tables of the same name."""
    region, account = table.split(":")[3:5]
    return "-".join((target, region, account, f"{table.rpartition('/')[2]}.jsonl"))


def _view(output: str, bench: Workbench, choice: Choice) -> View:
    from inventory_cli.audit import views
    from operations import table

    if output == "status":
        rows = table.read(bench.clients.dynamodb, bench.names.table)
        return views.status({each: row for each, row in rows.items() if choice.has(each)})
    if output == "text" or (output == "auto" and sys.stdout.isatty()):
        return views.text
    return views.jsonl


def _show(view: View, choice: Choice, log: LogReader) -> None:
    lines = view(choice.of(log.new()))
    while block := list(islice(lines, LINES_AT_ONCE)):
        click.echo("\n".join(block))


def _note(text: str) -> None:
    click.echo(text, err=True)
