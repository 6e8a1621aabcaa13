"""Failed events: what is in the two queues, what each would do now, and putting it back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inventory.event import claims
from inventory_aws.retry import Retry
from inventory_aws.sender import Sender
from operations.redrive.carry_out import carry_out, concerned
from operations.redrive.inbox import Contents, inbox
from operations.redrive.item import Item, Origin
from operations.redrive.plan import Action, Decision, plan, products
from operations.table import look_up

if TYPE_CHECKING:
    from operations.access import Access

GIVE_UP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many were put on the stream, and how many left their queue without, being known."""

    sent: int
    forgotten: int


class Redrive:
    """Works on the queues of a pipeline, as `inventory redrive` does."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def look(self) -> Contents:
        """What is in the queues; it stays there."""
        return inbox(self._access, list(Origin)).look()

    def plan(self, items: Sequence[Item], *, force: bool = False) -> list[Decision]:
        """What each would do if it were put on the stream now."""
        rows, removals = look_up(self._access.clients.dynamodb, self._access.names, products(items))
        return plan(items, rows, self._access.policy, force=force, removals=removals)

    def carry_out(self, decisions: Sequence[Decision], contents: Contents) -> Redriven:
        """Do it, with those that are still in their queue.

        Raises SendingError, or what the clients raise, half-way: what is left is
        in its queue.
        """
        access = self._access
        sender = Sender(
            access.clients.kinesis,
            access.names.stream,
            on_accepted=lambda accepted: None,
            clock=time.monotonic,
            wait=time.sleep,
            retry=Retry(give_up_after=GIVE_UP_SECONDS),
        )
        queues = inbox(access, list(Origin))
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
