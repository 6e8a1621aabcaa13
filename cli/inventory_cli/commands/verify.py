"""`inventory verify`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventory_cli.errors import FailedError
from inventory_cli.paths import embedded
from producer.usage import Command, Number

if TYPE_CHECKING:
    from inventory.stock import Row
    from operations.verify.compare import Comparison, Difference, Evidence, Trace

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
    from embedded.interrupts import Interrupts
    from inventory_cli.progress import ProgressLine
    from inventory_cli.workbench import on_target
    from operations.numbers import counted
    from operations.redrive.service import Redrive
    from operations.redrive.text import hidden_notice
    from operations.verify.gather import gather, settled

    bench = on_target(embedded(state))
    with (
        Interrupts("The current read ends first.") as interrupts,
        ProgressLine(sys.stderr) as progress,
    ):

        def look() -> Evidence:
            interrupts.check()
            return gather(bench.clients, bench.names)

        def tell(differences: int, seconds: float) -> None:
            progress.show(
                f"Waiting for the pipeline: {counted(differences, 'difference')}, unchanged "
                f"for {seconds:.0f} s. After {wait:g} s the check fails."
            )

        comparison = settled(look, bench.policy, wait, interrupts.pause, tell)
    for line in report(comparison):
        click.echo(line)
    if comparison.differences:
        if unseen := Redrive(bench).hidden():
            click.echo(hidden_notice(unseen))
        found = counted(len(comparison.differences), "difference")
        raise FailedError(f"{found} found (see above)")


def report(comparison: Comparison) -> Iterator[str]:
    """Return the lines to print: counts, differences, and the conclusion if there are none."""
    from operations.numbers import counted
    from operations.verify.explain import RecordStatus

    yield f"Events    {comparison.statuses.total()} on the stream"
    for status in RecordStatus:
        if count := comparison.statuses[status]:
            again = comparison.sent_again[status]
            yield f"  {status.replace('_', ' '):<13} {count:>7}" + (
                f", {again} of them sent again since" if again else ""
            )
    yield f"Rows      {comparison.rows} checked"
    if comparison.older_rows:
        why = "the stream does not have the events that made them"
        yield f"  {comparison.older_rows} not checked: {why}"
    for difference in comparison.differences[:MOST_DIFFERENCES]:
        yield from _told(difference)
    if (more := len(comparison.differences) - MOST_DIFFERENCES) > 0:
        yield f"  … and {counted(more, 'more difference')}"
    if not comparison.differences:
        waiting = comparison.statuses[RecordStatus.WAITING]
        yield "Success: the table is what the events produce, and no event is lost." + (
            f" Waiting: {counted(waiting, 'event')} that arrived during the check."
            if waiting
            else ""
        )


def _told(difference: Difference) -> Iterator[str]:
    from inventory_aws.shown import shown
    from operations.verify.compare import Problem

    subject = "no product" if difference.product_id is None else shown(difference.product_id)
    yield f"  wrong: {subject}: {difference.problem}"
    if difference.problem is Problem.ROW:
        yield f"    expected {_row(difference.expected)}"
    if difference.problem in (Problem.ROW, Problem.BEHIND):
        yield f"    found    {_row(difference.found)}"
    # The last events of a row that is wrong, the first of those that it shows nothing of.
    of_row = difference.problem is Problem.ROW
    traces = difference.traces
    told = traces[-MOST_EVENTS:] if of_row else traces[:MOST_EVENTS]
    more = f"    … and {len(traces) - len(told)} {'before' if of_row else 'after'} these"
    if of_row and len(told) < len(traces):
        yield more
    for trace in told:
        yield f"    {_event(trace)}"
    if not of_row and len(told) < len(traces):
        yield more


def _event(trace: Trace) -> str:
    from inventory_aws.shown import shown

    shard_id, sequence_number = trace.place
    event_id = "no event id" if trace.event_id is None else shown(trace.event_id)
    return (
        f"{shard_id} {sequence_number} {trace.event_type} {event_id}: "
        f"{trace.status.replace('_', ' ')}"
    )


def _row(row: Row | None) -> str:
    from inventory.items import ATTRIBUTES
    from inventory_aws.shown import shown
    from operations.numbers import counted
    from operations.table import values

    if row is None:
        return "no row"
    written = {**values(row), "sequence_number": row.sequence_number}
    told = [f"{k}={v!r}" for k, v in written.items() if k not in ("product_id", *row.foreign)]
    told.append(counted(len(row.recent_event_ids), "recent id"))
    if row.recent_event_ids:
        told.append(f"last {row.recent_event_ids[-1]}")
    for name in sorted(row.foreign.keys() & ATTRIBUTES):
        value = row.foreign[name]
        told.append(f"{name} {'missing' if value is None else f'in another form: {value!r:.200}'}")
    return shown(", ".join(told))
