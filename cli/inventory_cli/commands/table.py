"""`inventory table`."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from embedded.interrupts import InterruptedRunError, Interrupts
from inventory.items import row_of
from inventory.stock import Row
from inventory_aws.shown import shown
from inventory_cli.context import Context, running_pipeline
from inventory_cli.output import PlainConsole, output_option
from operations import table as table_rows
from operations.numbers import counted
from operations.table_stream import Change, Start, TableFollower
from producer.usage import Command

LOOK_SECONDS = 0.25


@click.command(cls=Command)
@output_option
@click.option("--watch", is_flag=True, help="Then print each change, until Ctrl+C.")
@click.pass_obj
def table(state: Path, as_text: bool, watch: bool) -> None:
    """Print the rows of the table.

    With --watch, the command then prints a line for each change as it happens. A change at the
    start may be in the rows already.
    """
    context = running_pipeline(state)
    if not watch:
        _print_rows(context, as_text)
        return
    streams = context.clients.table_stream_reader
    with suppress(InterruptedRunError), Interrupts() as interrupts:
        follower = TableFollower(streams, context.names.table, start=Start.NEWEST)
        changes = follower.look()  # it starts before the table is read, so that none is missed
        _print_rows(context, as_text)
        while True:
            for change in changes:
                click.echo(change_text(change) if as_text else json.dumps(change_values(change)))
            interrupts.pause(LOOK_SECONDS)
            changes = follower.look()


def _print_rows(context: Context, as_text: bool) -> None:
    rows = table_rows.read(context.clients.dynamodb, context.names.table)
    if as_text:
        PlainConsole(highlight=False).print(table_rows.rendered(rows.values()))
        click.echo(counted(len(rows), "row"))
    else:
        for row in rows.values():
            click.echo(json.dumps(table_rows.values(row)))


def change_values(change: Change) -> dict[str, Any]:
    """Return a change for programs: the row after it, or the ID of a row that was removed."""
    if change.after is None:
        return {"product_id": change.keys["product_id"]["S"], "removed": True}
    return table_rows.values(row_of(dict(change.after)))


def change_text(change: Change) -> str:
    """Return a change for people. Its texts come from events, so they are escaped."""
    before, after = (row_of(dict(i)) if i else None for i in (change.before, change.after))
    return shown(f"{change.keys['product_id']['S']:<6} {_words(before, after)}")


def _words(before: Row | None, after: Row | None) -> str:
    if before and after:
        name = _step(before.product_name, after.product_name)
        return f"changed  {name}, quantity {_step(before.quantity, after.quantity)}"
    if row := before or after:
        return f"{'added  ' if after else 'removed'}  {row.product_name}, quantity {row.quantity}"
    return "removed"


def _step(before: object, after: object) -> str:
    return f"{after}" if before == after else f"{before} → {after}"
