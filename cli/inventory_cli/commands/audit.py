"""`inventory audit`."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from inventory_cli.errors import CannotRunError
from producer.usage import Command

LOOK_SECONDS = 0.25


def _moment(_context: object, _option: object, text: str | None) -> str | None:
    from inventory_cli.audit import show

    try:
        return text and show.since(text, datetime.now(UTC))
    except (ValueError, OverflowError):
        raise click.BadParameter(
            "must be a time, such as 2026-01-31T12:00, or how long ago, such as 10m"
        ) from None


@click.command(cls=Command)
@click.option("--follow", is_flag=True, help="Show new changes as they happen, until Ctrl+C.")
@click.option("--product", metavar="ID", help="Show only the changes of this product.")
@click.option(
    "--since",
    metavar="TIME",
    callback=_moment,
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
    from inventory_cli.audit import log as audit_log
    from inventory_cli.audit import show
    from inventory_cli.context import running_pipeline
    from operations import table

    context = running_pipeline(state)
    dynamodb, name = context.clients.dynamodb, context.names.table
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    # Targets, Regions and accounts have tables of the same name.
    region, account = arn.split(":")[3:5]
    file_name = f"{context.target}-{region}-{account}-{name}.jsonl"
    path = log or state / "audit" / file_name
    streams = context.clients.table_stream_reader
    if output == "auto":
        output = "text" if sys.stdout.isatty() else "jsonl"
    lines = show.text if output == "text" else show.json_lines
    if output == "status":
        rows = table.read(dynamodb, name)
        lines = show.TableStatus({k: rows[k] for k in rows if product in (None, k)}).lines
    reader = audit_log.LogReader(path)

    def print_new() -> None:
        entries = (each for each in reader.new() if show.is_chosen(each, product, since))
        sys.stdout.writelines(f"{line}\n" for line in lines(entries))
        sys.stdout.flush()

    try:
        looks = audit_log.record(streams, arn, path, partial(click.echo, err=True))
        with Interrupts() as interrupts, closing(looks):
            while not next(looks):
                interrupts.check()
            print_new()
            while follow:
                interrupts.pause(LOOK_SECONDS if next(looks) else 0)
                print_new()
    except InterruptedRunError:
        if not follow:
            raise
    except audit_log.LogError as error:
        raise CannotRunError(str(error)) from error
