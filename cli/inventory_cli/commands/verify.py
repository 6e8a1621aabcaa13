"""`inventory verify`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from embedded.interrupts import Interrupts
from inventory.items import ATTRIBUTES
from inventory.stock import Row
from inventory_aws.shown import shown
from inventory_cli.context import running_pipeline
from inventory_cli.errors import FailedError
from inventory_cli.progress import ProgressLine
from operations.numbers import counted
from operations.redrive.service import Redrive
from operations.redrive.text import hidden_notice
from operations.table import values
from operations.verify.compare import Comparison, Difference, Evidence, Problem, Trace
from operations.verify.explain import RecordStatus
from operations.verify.gather import gather, settled
from producer.usage import Command, Number

MOST_DIFFERENCES = 20
MOST_EVENTS = 10


@click.command(cls=Command)
@click.option(
    "--wait",
    type=Number(min=0),
    default=30,
    show_default=True,
    help="Seconds that a difference must last to count. Events may still be on their way.",
)
@click.pass_obj
def verify(state: Path, wait: float) -> None:
    """Check the table against the events on the stream.

    It reads the whole stream, the rejected and the dead-letter queue and the table, and changes
    none of them. It exits with 0 if the table is what the events produce and no event is lost,
    else with 1.
    """
    context = running_pipeline(state)
    interrupts, progress = Interrupts("The current read ends first."), ProgressLine(sys.stderr)

    def look() -> Evidence:
        interrupts.check()
        return gather(context.clients, context.names)

    def show(differences: int, seconds: float) -> None:
        progress.show(
            f"Waiting for the pipeline: {counted(differences, 'difference')}, unchanged "
            f"for {seconds:.0f} s. After {wait:g} s the check fails."
        )

    with interrupts, progress:
        comparison = settled(look, context.policy, wait, interrupts.pause, show)
    for line in report(comparison):
        click.echo(line)
    if comparison.differences:
        if hidden := Redrive(context).hidden():
            click.echo(hidden_notice(hidden))
        raise FailedError(f"{counted(len(comparison.differences), 'difference')} found (see above)")


def report(comparison: Comparison) -> Iterator[str]:
    """Return the lines to print: counts, differences, and the conclusion if there are none."""
    yield f"Events    {comparison.statuses.total()} on the stream"
    for status in RecordStatus:
        if count := comparison.statuses[status]:
            sent = comparison.sent_again[status]
            again = f", {sent} of them sent again since" if sent else ""
            yield f"  {status.replace('_', ' '):<13} {count:>7}{again}"
    yield f"Rows      {comparison.rows} checked"
    if comparison.older_rows:
        why = "the stream does not have the events that made them"
        yield f"  {comparison.older_rows} not checked: {why}"
    for difference in comparison.differences[:MOST_DIFFERENCES]:
        yield from _described(difference)
    if (more := len(comparison.differences) - MOST_DIFFERENCES) > 0:
        yield f"  … and {counted(more, 'more difference')}"
    if not comparison.differences:
        waiting = counted(comparison.statuses[RecordStatus.WAITING], "event")
        yield "Success: the table is what the events produce, and no event is lost." + (
            f" Waiting: {waiting} that arrived during the check."
            if comparison.statuses[RecordStatus.WAITING]
            else ""
        )


def _described(difference: Difference) -> Iterator[str]:
    subject = "no product" if difference.product_id is None else shown(difference.product_id)
    yield f"  wrong: {subject}: {difference.problem}"
    if difference.problem is Problem.ROW:
        yield f"    expected {_row(difference.expected)}"
    if difference.problem in (Problem.ROW, Problem.BEHIND):
        yield f"    found    {_row(difference.found)}"
    # The last events of a row that is wrong, the first of those that it shows nothing of.
    of_row, traces = difference.problem is Problem.ROW, difference.traces
    for trace in traces[-MOST_EVENTS:] if of_row else traces[:MOST_EVENTS]:
        yield f"    {_event(trace)}"
    if (more := len(traces) - MOST_EVENTS) > 0:
        yield f"    … and {more} {'before' if of_row else 'after'} these"


def _event(trace: Trace) -> str:
    shard_id, sequence_number = trace.place
    event_id = "no event id" if trace.event_id is None else shown(trace.event_id)
    status = trace.status.replace("_", " ")
    return f"{shard_id} {sequence_number} {trace.event_type} {event_id}: {status}"


def _row(row: Row | None) -> str:
    if row is None:
        return "no row"
    written = {**values(row), "sequence_number": row.sequence_number}
    words = [f"{k}={v!r}" for k, v in written.items() if k not in ("product_id", *row.foreign)]
    words.append(counted(len(row.recent_event_ids), "recent id"))
    words += [f"last {event_id}" for event_id in row.recent_event_ids[-1:]]
    for name in sorted(row.foreign.keys() & ATTRIBUTES):
        value = row.foreign[name]
        words.append(f"{name} {'missing' if value is None else f'in another form: {value!r:.200}'}")
    return shown(", ".join(words))
