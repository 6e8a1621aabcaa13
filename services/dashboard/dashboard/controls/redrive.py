"""Failed events: what is in the two queues, what each would do now, and putting it back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inventory.event import claims
from inventory_cli.redrive.carry_out import carry_out, concerned
from inventory_cli.redrive.inbox import Contents, inbox
from inventory_cli.redrive.item import Item, Origin
from inventory_cli.redrive.plan import Action, Decision, plan, products
from inventory_cli.table import look_up
from producer.retry import Retry
from producer.sender import Sender

if TYPE_CHECKING:
    from inventory_cli.workbench import Workbench

GIVE_UP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many were put on the stream, and how many left their queue without, being known."""

    sent: int
    forgotten: int


class Redrive:
    """Works on the queues of a pipeline, as `inventory redrive` does."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def look(self) -> Contents:
        """What is in the queues; it stays there."""
        return inbox(self._bench, list(Origin)).look()

    def plan(self, items: Sequence[Item], *, force: bool = False) -> list[Decision]:
        """What each would do if it were put on the stream now."""
        rows, removals = look_up(self._bench.clients.dynamodb, self._bench.names, products(items))
        return plan(items, rows, self._bench.policy, force=force, removals=removals)

    def carry_out(self, decisions: Sequence[Decision], contents: Contents) -> Redriven:
        """Do it, with those that are still in their queue.

        Raises producer.errors.SendingError, or what the clients raise, half-way: what is left is
        in its queue.
        """
        bench = self._bench
        sender = Sender(
            bench.clients.kinesis,
            bench.names.stream,
            on_accepted=lambda accepted: None,
            clock=time.monotonic,
            wait=time.sleep,
            retry=Retry(give_up_after=GIVE_UP_SECONDS),
        )
        queues = inbox(bench, list(Origin))
        with queues.holding(concerned(decisions, contents.letters)) as held:
            here = [decision for decision in decisions if decision.item.name in held.names]
            carry_out(
                here,
                list(held.messages),
                lambda decision, record: sender.send([record]),
                held.delete,
            )
        return Redriven(_count(here, Action.SEND), _count(here, Action.FORGET))


def edited(item: Item, payload: bytes) -> Item:
    """The item with another payload, under the id that it had."""
    return replace(item, payload=payload, product_id=claims(payload)[1])


def _count(decisions: Iterable[Decision], action: Action) -> int:
    return sum(decision.action is action for decision in decisions)
