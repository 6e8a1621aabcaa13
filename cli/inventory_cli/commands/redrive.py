"""`inventory redrive`."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from embedded.interrupts import Interrupts
from inventory.event import claims
from inventory_aws.event import Event
from inventory_aws.sender import Accepted, Sender, SendingError
from inventory_cli.context import Context, running_pipeline
from inventory_cli.errors import CannotRunError, FailedError
from inventory_cli.invocation import typed
from operations.redrive import showing
from operations.redrive.carry_out import Letter, carry_out, concerned, staying
from operations.redrive.inbox import Inbox, inbox
from operations.redrive.item import Item, Origin, choose, name_of, unknown
from operations.redrive.plan import Action, Decision, plan, products
from operations.redrive.plan import Verdict as Effect
from operations.table import look_up
from operations.words import counted
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
    context = running_pipeline(state)
    queues = inbox(context, Origin if source == "both" else [Origin(source)])
    hidden = queues.hidden()
    contents = queues.look()
    if hidden:
        click.echo(showing.hidden(hidden))
    if missing := unknown(names, contents.items):
        raise CannotRunError(
            f"No such ID: {', '.join(missing)}. To list the IDs, run `{typed('rejected')}` or "
            f"`{typed('dead-letters')}`."
        )
    failed = choose(contents.items, names, product, reason)
    if not failed:
        why = "no failed event matches" if contents.items else "there are no failed events"
        click.echo(f"Nothing to send: {why}.")
        return
    if edit:
        failed = [edited(each) for each in failed]
    rows, removals = look_up(context.clients.dynamodb, context.names, products(failed))
    decisions = plan(failed, rows, context.policy, force=force, removals=removals)
    for decision in decisions:
        click.echo(showing.decided(decision))
    for letter in staying(decisions, contents.letters):
        click.echo(
            "A message stays in the dead-letter queue, because not all of its "
            f"{len(letter.names)} records are sent."
        )
    if dry_run:
        return
    if begun := _is_agreed(decisions, yes):
        _send(context, queues, decisions, contents.letters)
    if edit and any(decision.verdict is Effect.REJECTED for decision in decisions):
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


def edited(failed: Item) -> Item:
    """Return the event with the payload that the user saved in an editor, and the ID that it had.

    It stays as it is if nothing was saved, or if it has no payload. Raises CannotRunError when the
    editor cannot be run.
    """
    if failed.payload is None:
        return failed
    try:
        saved = click.edit(failed.payload, extension=".json")
    except click.ClickException as error:
        raise CannotRunError(f"{error.message} Set EDITOR to another editor.") from error
    if saved is None:
        return failed
    payload = saved.strip()
    return replace(failed, payload=payload, product_id=claims(payload)[1])


def _is_agreed(decisions: Sequence[Decision], yes: bool) -> bool:
    """Whether there is something to do. Raises CannotRunError when it is not wanted."""
    count = Counter(decision.action for decision in decisions)
    if not count[Action.SEND] and not count[Action.FORGET]:
        click.echo("Nothing to send: all events stay in their queues (see above).")
        return False
    question = f"Send {count[Action.SEND]} to the stream"
    if count[Action.FORGET]:
        question += f" and remove {count[Action.FORGET]} from the queue"
    if not (yes or click.confirm(f"{question}?")):
        raise CannotRunError("Nothing was sent.")
    return True


def _send(
    context: Context, queues: Inbox, decisions: Sequence[Decision], letters: Sequence[Letter]
) -> None:
    """Send and delete, with a line for each event. Raises FailedError when it ends half-way."""
    accepted: list[Accepted] = []

    def put(decision: Decision, event: Event) -> None:
        sender.send([event])
        place = name_of(accepted[-1].shard_id, accepted[-1].sequence_number)
        click.echo(f"{decision.item.name} was sent again as {place}")

    with Interrupts("The events of the current product are sent first.") as interrupts:
        sender = Sender(
            context.clients.kinesis,
            context.names.stream,
            on_accepted=accepted.append,
            clock=time.monotonic,
            wait=interrupts.pause,
        )
        try:
            with queues.holding(wanted := concerned(decisions, letters)) as held:
                gone = len(wanted) - len(held.messages)
                here = [d for d in decisions if d.item.name in held.names]
                carry_out(here, list(held.messages), put, held.delete, interrupts.check)
        except (SendingError, ClientError, BotoCoreError) as error:
            raise FailedError(
                f"{len(accepted)} sent, then: {error}. The other events are still in their queues. "
                "To go on, run it again."
            ) from error
    click.echo(f"{len(accepted)} sent.")
    if gone:
        click.echo(
            f"Skipped: {counted(gone, 'message')} that somebody else has received or deleted."
        )
