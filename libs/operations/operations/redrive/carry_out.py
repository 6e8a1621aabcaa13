"""What is decided, done in an order in which it can be broken off anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from inventory_aws.event import Event
from operations.redrive.plan import Action, Decision


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a queue, and the names of the items that it stands for."""

    message_id: str
    names: frozenset[str]


def carry_out(
    decisions: Iterable[Decision],
    letters: Iterable[Letter],
    put: Callable[[Decision, Event], object],
    delete: Callable[[Letter], object],
    check: Callable[[], object] = lambda: None,
) -> None:
    """Put each record that is to be sent, product by product, and delete the messages all of whose
    items are settled.

    A product's messages are deleted when all its records were put: as long as one is missing, the
    next run finds the others in their queue and, on the table, that they were put. `check` may
    raise to end it between two products.
    """
    left = list(letters)
    settled: set[str] = set()
    for group in _by_product(decisions):
        check()
        for decision in group:
            if decision.record is not None:
                put(decision, decision.record)
        settled |= {decision.item.name for decision in group}
        for letter in [letter for letter in left if letter.names <= settled]:
            delete(letter)
            left.remove(letter)


def concerned(decisions: Iterable[Decision], letters: Iterable[Letter]) -> list[Letter]:
    """The letters that stand for something that is to be done."""
    leaving = _leaving(decisions)
    return [letter for letter in letters if letter.names & leaving]


def staying(decisions: Iterable[Decision], letters: Iterable[Letter]) -> list[Letter]:
    """The letters among them that stay in their queue, for some of their items are left."""
    leaving = _leaving(decisions)
    return [letter for letter in letters if letter.names & leaving and letter.names - leaving]


def _leaving(decisions: Iterable[Decision]) -> set[str]:
    return {d.item.name for d in decisions if d.action is not Action.LEAVE}


def _by_product(decisions: Iterable[Decision]) -> Sequence[Sequence[Decision]]:
    """What is to be done, in the order given within a product."""
    groups: dict[str | None, list[Decision]] = {}
    for decision in decisions:
        if decision.action is not Action.LEAVE:
            groups.setdefault(decision.item.product_id, []).append(decision)
    return list(groups.values())
