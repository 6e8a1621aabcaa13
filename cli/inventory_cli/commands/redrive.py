"""`inventory redrive`."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from embedded.interrupts import Interrupts
from inventory_aws.sender import Accepted, SendingError
from inventory_cli.context import running_pipeline
from inventory_cli.errors import CannotRunError, FailedError
from inventory_cli.invocation import typed
from operations.numbers import counted
from operations.redrive.failed_event import FailedEvent, Origin, choose, name_of, unknown
from operations.redrive.plan import Action, Decision, Effect, EventMessage, staying
from operations.redrive.service import Redrive
from operations.redrive.text import decision_line, hidden_notice
from producer.usage import Command


@click.command(cls=Command)
@click.argument("names", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Choose all failed events.")
@click.option(
    "--from",
    "source",
    type=click.Choice(["rejected", "dead-letters", "both"]),
    default="both",
    show_default=True,
    help="The queue to read.",
)
@click.option("--product", metavar="ID", help="Choose the events of this product.")
@click.option("--reason", metavar="TEXT", help="Choose the events whose reason contains this text.")
@click.option("--dry-run", is_flag=True, help="Show what each event would do, and send nothing.")
@click.option("--force", is_flag=True, help="Also send events that newer events have superseded.")
@click.option("--edit", is_flag=True, help="Open each payload in $EDITOR before it is sent.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def redrive(
    state: Path,
    names: tuple[str, ...],
    everything: bool,
    source: str,
    product: str | None,
    reason: str | None,
    dry_run: bool,
    force: bool,
    edit: bool,
    yes: bool,
) -> None:
    """Send failed events to the stream again.

    Choose events by the IDs that `rejected` and `dead-letters` list, or with options. The command
    shows what each event would do now, asks, and puts the events at the end of the stream. You
    can interrupt it and run it again: no event takes effect twice.
    """
    chosen = bool(names or everything or product is not None or reason is not None)
    _check_options(chosen, bool(names and everything), edit, ask=not (yes or dry_run))
    service = Redrive(running_pipeline(state), Origin if source == "both" else [Origin(source)])
    hidden = service.hidden()
    found = service.read()
    if hidden:
        click.echo(hidden_notice(hidden))
    if missing := unknown(names, found.events):
        raise CannotRunError(
            f"No such ID: {', '.join(missing)}. To list the IDs, run `{typed('rejected')}` or "
            f"`{typed('dead-letters')}`."
        )
    events = choose(found.events, names, product, reason)
    if not events:
        why = "no failed event matches" if found.events else "there are no failed events"
        click.echo(f"Nothing to send: {why}.")
        return
    if edit:
        events = [edited(event) for event in events]
    decisions = service.plan(events, force=force)
    for decision in decisions:
        click.echo(decision_line(decision))
    for message in staying(decisions, found.messages):
        click.echo(
            "A message stays in the dead-letter queue, because not all of its "
            f"{len(message.names)} records are sent."
        )
    if dry_run:
        return
    if begun := _is_agreed(decisions, yes):
        _carry_out(service, decisions, found.messages)
    if edit and any(decision.effect is Effect.REJECTED for decision in decisions):
        error = FailedError if begun else CannotRunError
        raise error("An edited event would still be rejected (see above).")


def _check_options(chosen: bool, chosen_twice: bool, edit: bool, ask: bool) -> None:
    """Raise CannotRunError, which names all that is wrong."""
    terminal = sys.stdin.isatty()
    can_edit = terminal or os.environ.get("VISUAL") or os.environ.get("EDITOR")
    problems = []
    if not chosen:
        problems.append("Choose the events: give IDs, --product, --reason or --all.")
    if chosen_twice:
        problems.append("Give IDs or --all, not both.")
    if edit and not can_edit:
        problems.append("--edit needs a terminal, or an editor in EDITOR that works without one.")
    if ask and not terminal:
        problems.append("There is no terminal to ask for confirmation. To send anyway, add --yes.")
    if problems:
        raise CannotRunError("\n".join(problems))


def edited(event: FailedEvent) -> FailedEvent:
    """Return the event with the payload that the user saved in an editor, and the ID that it had.

    It stays as it is if nothing was saved, or if it has no payload. Raises CannotRunError when the
    editor cannot be run.
    """
    if event.payload is None:
        return event
    try:
        saved = click.edit(event.payload, extension=".json")
    except click.ClickException as error:
        raise CannotRunError(f"{error.message} Set EDITOR to another editor.") from error
    return event if saved is None else event.with_payload(saved.strip())


def _is_agreed(decisions: Sequence[Decision], yes: bool) -> bool:
    """Whether there is something to do. Raises CannotRunError when it is not wanted."""
    count = Counter(decision.action for decision in decisions)
    if not count[Action.SEND] and not count[Action.REMOVE]:
        click.echo("Nothing to send: all events stay in their queues (see above).")
        return False
    question = f"Send {count[Action.SEND]} to the stream"
    if count[Action.REMOVE]:
        question += f" and remove {count[Action.REMOVE]} from the queue"
    if not (yes or click.confirm(f"{question}?")):
        raise CannotRunError("Nothing was sent.")
    return True


def _carry_out(
    service: Redrive, decisions: Sequence[Decision], messages: Sequence[EventMessage]
) -> None:
    """Send and delete, with a line for each event. Raises FailedError when it ends half-way."""
    sent: list[Accepted] = []

    def on_sent(decision: Decision, accepted: Accepted) -> None:
        sent.append(accepted)
        place = name_of(accepted.shard_id, accepted.sequence_number)
        click.echo(f"{decision.event.name} was sent again as {place}")

    with Interrupts("The events of the current product are sent first.") as interrupts:
        try:
            redriven = service.carry_out(
                decisions,
                messages,
                on_sent=on_sent,
                check=interrupts.check,
                wait=interrupts.pause,
            )
        except (SendingError, ClientError, BotoCoreError) as error:
            raise FailedError(
                f"{len(sent)} sent, then: {error}. The other events are still in their queues. "
                "To go on, run it again."
            ) from error
    click.echo(f"{redriven.sent} sent.")
    if redriven.skipped:
        click.echo(
            f"Skipped: {counted(redriven.skipped, 'message')} that somebody else has received or "
            "deleted."
        )
