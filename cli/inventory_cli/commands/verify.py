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
    from operations.verify.compare import Evidence
    from operations.verify.verdict import Difference, Trace, Verdict

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
    from operations.redrive.inbox import inbox
    from operations.redrive.item import Origin
    from operations.redrive.showing import hidden
    from operations.verify.gather import gather, settled
    from operations.words import counted

    bench = on_target(embedded(state))
    with (
        Interrupts("The current read ends first.") as interrupts,
        ProgressLine(sys.stderr) as progress,
    ):

        def look() -> Evidence:
            interrupts.check()
            return gather(bench.session, bench.clients, bench.names)

        def tell(differences: int, seconds: float) -> None:
            progress.show(
                f"Waiting for the pipeline: {counted(differences, 'difference')}, unchanged "
                f"for {seconds:.0f} s. After {wait:g} s the check fails."
            )

        verdict = settled(look, bench.policy, wait, interrupts.pause, tell)
    for line in report(verdict):
        click.echo(line)
    if verdict.differences:
        if unseen := inbox(bench, Origin).hidden():
            click.echo(hidden(unseen))
        found = counted(len(verdict.differences), "difference")
        raise FailedError(f"{found} found (see above)")


def report(verdict: Verdict) -> Iterator[str]:
    """Return the lines to print: counts, differences, and the conclusion if there are none."""
    from operations.verify.explanation import Fate
    from operations.words import counted

    yield f"Events    {verdict.fates.total()} on the stream"
    for fate in Fate:
        if count := verdict.fates[fate]:
            again = verdict.put_again[fate]
            yield f"  {fate.replace('_', ' '):<13} {count:>7}" + (
                f", {again} of them sent again since" if again else ""
            )
    if verdict.applied_after_all:
        yield f"  {verdict.applied_after_all} of the applied are in the dead-letter queue too"
    yield f"Rows      {verdict.rows} checked"
    if verdict.older_rows:
        why = "the stream does not have the events that made them"
        yield f"  {verdict.older_rows} not checked: {why}"
    if verdict.extended_rows:
        yield f"  {verdict.extended_rows} with attributes that somebody else added"
    for difference in verdict.differences[:MOST_DIFFERENCES]:
        yield from _told(difference)
    if (more := len(verdict.differences) - MOST_DIFFERENCES) > 0:
        yield f"  … and {counted(more, 'more difference')}"
    if not verdict.differences:
        waiting = verdict.fates[Fate.WAITING]
        yield "Success: the table is what the events produce, and no event is lost." + (
            f" Waiting: {counted(waiting, 'event')} that arrived during the check."
            if waiting
            else ""
        )


def _told(difference: Difference) -> Iterator[str]:
    from inventory_aws.shown import shown
    from operations.verify.verdict import Problem

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
        f"{trace.fate.replace('_', ' ')}"
    )


def _row(row: Row | None) -> str:
    from inventory.items import ATTRIBUTES
    from inventory_aws.shown import shown
    from operations.table import values
    from operations.words import counted

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
