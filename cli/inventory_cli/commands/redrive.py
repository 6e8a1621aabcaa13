"""`inventory redrive`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inventory_cli.errors import CannotRunError, FailedError
from inventory_cli.paths import embedded

if TYPE_CHECKING:
    from inventory.stock import Row
    from inventory_cli.redrive.carry_out import Letter
    from inventory_cli.redrive.inbox import Inbox
    from inventory_cli.redrive.plan import Decision
    from inventory_cli.workbench import Workbench
    from producer.event import Event
    from producer.sender import Accepted


@click.command()
@click.argument("names", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that is there.")
@click.option(
    "--from",
    "source",
    type=click.Choice(["rejected", "dead-letters", "both"]),
    default="both",
    show_default=True,
    help="The queue to look in.",
)
@click.option("--product", metavar="P", help="Those of this product id.")
@click.option("--reason", metavar="TEXT", help="Those whose reason has this text in it.")
@click.option("--dry-run", is_flag=True, help="Show what each would do now, and do nothing.")
@click.option("--force", is_flag=True, help="Send also what newer events have superseded.")
@click.option("--edit", is_flag=True, help="Open each payload in $EDITOR first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
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
    """Put failed events back at the end of the stream: those with an ID, or those that fit.

    Before, each is shown with what it would do now. `inventory rejected` and `inventory
    dead-letters` list the IDs. Interrupted, it can be run again: nothing takes effect twice.
    """
    if not (names or everything or product is not None or reason is not None):
        raise CannotRunError("say which: IDs, --product, --reason or --all")
    if names and everything:
        raise CannotRunError("either IDs or --all, not both")
    if not (yes or dry_run or sys.stdin.isatty()):
        raise CannotRunError("redrive puts events on the stream, nobody can be asked: pass --yes")

    from inventory_cli.redrive.editing import edited
    from inventory_cli.redrive.inbox import inbox
    from inventory_cli.redrive.item import Origin, choose, unknown
    from inventory_cli.redrive.plan import Verdict, plan, products
    from inventory_cli.workbench import on_target

    bench = on_target(embedded(state))
    origins = list(Origin) if source == "both" else [Origin(source)]
    queues = inbox(bench, origins)
    contents = queues.look()
    if missing := unknown(names, contents.items):
        raise CannotRunError(
            f"no such ID: {', '.join(missing)} (inventory rejected, dead-letters list them)"
        )
    items = choose(contents.items, names, product, reason)
    if edit:
        items = [edited(item) for item in items]
    decisions = plan(items, _rows(bench, products(items)), bench.policy, force=force)
    _show(decisions, contents.letters)
    if dry_run:
        return
    begun = _agreed(decisions, yes) and _carry_out(bench, queues, decisions, contents.letters)
    if edit and any(decision.verdict is Verdict.REJECTED for decision in decisions):
        error = FailedError if begun else CannotRunError
        raise error("an edited event would still be rejected (above)")


def _show(decisions: Sequence[Decision], letters: Sequence[Letter]) -> None:
    from inventory_cli.redrive import showing
    from inventory_cli.redrive.carry_out import staying

    for decision in decisions:
        click.echo(showing.decided(decision))
    for letter in staying(decisions, letters):
        click.echo(f"A dead letter stays: not all of its {len(letter.names)} records leave it.")


def _agreed(decisions: Sequence[Decision], yes: bool) -> bool:
    """Whether there is something to do. Raises CannotRunError when it is not wanted."""
    from inventory_cli.redrive.plan import Action

    count = Counter(decision.action for decision in decisions)
    if not count[Action.SEND] and not count[Action.FORGET]:
        click.echo("Nothing to send.")
        return False
    question = f"Put {count[Action.SEND]} on the stream"
    if count[Action.FORGET]:
        question += f", take {count[Action.FORGET]} out of the queue"
    if not (yes or click.confirm(f"{question}?")):
        raise CannotRunError("nothing was sent")
    return True


def _rows(bench: Workbench, product_ids: Iterable[str]) -> dict[str, Row | None]:
    from inventory.items import row_of

    def row(product_id: str) -> Row | None:
        key: Any = {"product_id": {"S": product_id}}
        answer = bench.clients.dynamodb.get_item(
            TableName=bench.names.table, Key=key, ConsistentRead=True
        )
        return row_of(answer["Item"]) if "Item" in answer else None

    return {product_id: row(product_id) for product_id in product_ids}


def _carry_out(
    bench: Workbench, queues: Inbox, decisions: Sequence[Decision], letters: Sequence[Letter]
) -> bool:
    """Do it, and say so line by line. Raises FailedError when it ends half-way."""
    import time

    from botocore.exceptions import BotoCoreError, ClientError

    from inventory_cli.interrupts import Interrupts
    from inventory_cli.redrive.carry_out import carry_out, concerned
    from inventory_cli.redrive.item import name_of
    from producer.errors import SendingError
    from producer.outbox import ONE_BY_ONE
    from producer.sender import Sender

    accepted: list[Accepted] = []

    def put(decision: Decision, record: Event) -> None:
        sender.send([record])
        place = name_of(accepted[-1].shard_id, accepted[-1].sequence_number)
        click.echo(f"{decision.item.name} is on the stream again, as {place}")

    with Interrupts() as interrupts:
        sender = Sender(
            bench.clients.kinesis,
            bench.names.stream,
            on_accepted=accepted.append,
            clock=time.monotonic,
            wait=interrupts.pause,
            limits=ONE_BY_ONE,
        )
        try:
            with queues.holding(wanted := concerned(decisions, letters)) as held:
                gone = len(wanted) - len(held.messages)
                here = [d for d in decisions if d.item.name in held.names]
                carry_out(here, list(held.messages), put, held.delete, interrupts.check)
        except (SendingError, ClientError, BotoCoreError) as error:
            raise FailedError(
                f"{len(accepted)} sent, then: {error}. What is left is in its queue: run it again"
            ) from error
    click.echo(f"{len(accepted)} sent.")
    if gone:
        click.echo(f"{gone} messages were gone from their queue, or somebody else has them.")
    return True
