"""`inventory scenario`: events one at a time, with the table before and after each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import click

from embedded.interrupts import Interrupts
from inventory.stock import Outcome, Row
from inventory_aws.outbox import Event
from inventory_aws.shown import shown
from inventory_cli.checked_run import CheckedRun
from inventory_cli.context import own_pipeline
from inventory_cli.errors import FailedError
from inventory_cli.status_file import event_and_table, table_before
from operations.function_log import await_outcomes
from operations.numbers import counted
from producer import jsonlines
from producer.usage import Command


def _in_a_writable_folder(_context: object, _option: object, output: Path) -> Path:
    if not os.access(output.parent, os.W_OK):
        raise click.BadParameter(f"cannot write to the folder {output.parent}")
    return output


@click.command(cls=Command)
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path("DynamodbTableStatus.txt"),
    show_default=True,
    callback=_in_a_writable_folder,
    help="The file to write the tables and events to.",
)
@click.pass_obj
def scenario(state: Path, file: Path | None, output: Path) -> None:
    """Send a few events one by one and show the table.

    It writes each event, with the table before and after it, to a file. The documented scenario
    adds seven products, then does six operations. For a scenario of your own, write one JSON event
    per line in FILE. On the embedded target the command starts servers of its own and deletes
    their data at the end.
    """
    if file is None:
        preparation, events = documented("table"), documented("operations")
    else:
        preparation, events = [], _parsed(str(file), file.read_bytes())
    with Interrupts("") as interrupts, own_pipeline(state, interrupts.pause) as context:
        context.deploy()
        interrupts.check()
        run = CheckedRun(context, interrupts.pause)
        if preparation:
            send(run, preparation)
            click.echo(f"Added {counted(len(preparation), 'product')}")
        lines = [*table_before(run.rows())]
        for event in events:
            outcome, rows = play(run, event)
            lines += event_and_table(_json(event), rows)
            product_id = shown(event.partition_key)
            click.echo(f"{outcome:<10} {event.kind} {product_id}: {counted(len(rows), 'row')}")
        output.write_text("\n".join(lines) + "\n", encoding="utf-8")
        problems = run.problems()
        for problem in problems:
            click.echo(f"  wrong: {problem}")
        if problems:
            raise FailedError("The table is not what the events should produce (see above).")
    click.echo(f"The table is right. Each event and the table after it are in {output}.")


def documented(part: str) -> list[Event]:
    """Return the events that make the documented `table`, or the documented `operations`."""
    name = f"documented-{part}.jsonl"
    return _parsed(name, files("inventory_cli").joinpath("data", name).read_bytes())


def _parsed(name: str, data: bytes) -> list[Event]:
    """Raises producer.usage.RefusedError."""
    return list(jsonlines.events(name, data.split(b"\n"), send_broken=False))


def send(run: CheckedRun, events: Sequence[Event]) -> None:
    """Send events, and wait until each has its outcome. Raises FailedError."""
    run.sender.send(events)
    progress = await_outcomes(run.accepted, run.log.poll, run.pause)
    if progress.handled < len(run.accepted):
        raise FailedError(f"No outcome in time for {_json(events[-1])}")


def play(run: CheckedRun, event: Event) -> tuple[Outcome, Mapping[str, Row]]:
    """Send one event alone. Return its outcome, and the table after it. Raises FailedError."""
    before, expected_before = run.log.progress.outcomes.copy(), run.expected().outcomes
    send(run, [event])
    new = run.log.progress.outcomes - before
    # Other producers may have sent events too: what this one must come to is looked for first.
    expected = run.expected().outcomes - expected_before
    outcome = next(o for o in (*expected, *new) if new[o] and o is not Outcome.FAILED)
    return outcome, run.rows()


def _json(event: Event) -> str:
    """Return the event on one line, in ASCII."""
    return json.dumps(json.loads(event.payload))
