"""Explain a row: find what happened to each event of its product. Pure.

Delivery is at least once, so the stream alone does not say what happened: a batch that the pipe
gave up may have been written before its response was lost, and an event that is on the stream twice
may have been given up the first time. So the events are applied in both ways where both are
possible, and the row shows which way it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import nsmallest
from typing import Generic, TypeVar

from inventory.event import Event, InvalidEventError, ProductRemoved
from inventory.items import ATTRIBUTES
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, apply
from inventory_aws.stream import StreamRecord

NAME_DIFFERS = "product.product_name.differs"
"""The code of a removal that was rejected under RemovalNamePolicy.ENFORCE."""

QUANTITY_NOT_WHOLE = "product.quantity_change.not_whole"
"""The code of a change by an amount that was rejected because the quantity of the row, written by
another program, is not a whole number."""

MOST_HISTORIES = 256
"""How many are followed at a time; of more, the likeliest. They meet where their rows are equal."""

T = TypeVar("T", Event, InvalidEventError)


class RecordStatus(StrEnum):
    """What became of a record of the stream."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    DEAD_LETTERED = "dead_lettered"
    WAITING = "waiting"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts(Generic[T]):
    """What is known of a record, which holds the event `said`, or none.

    `code` is that of its rejection in the queue, `dead_letter` whether a dead letter in the queue
    covers it. `sent_again`: an event of the same id comes later. `redriven`: a later event says
    that it is this one, sent again from its queue.
    """

    record: StreamRecord
    said: T
    code: str | None
    dead_letter: bool
    sent_again: bool
    redriven: bool

    @property
    def in_queue(self) -> bool:
        return self.code is not None or self.dead_letter


@dataclass(frozen=True, slots=True)
class History:
    """One possible course of events: the row that it leaves, or the marker of its removal.

    `status` is that of the last event, and `before` the history before it. `contradictions` counts
    what the rejected queue says against it, `detours` the events that went the unlikely way.
    """

    row: Row | None = None
    removed: Removal | None = None
    contradictions: int = 0
    detours: int = 0
    status: RecordStatus | None = None
    before: History | None = None

    def statuses(self) -> list[RecordStatus]:
        found: list[RecordStatus] = []
        history: History | None = self
        while history is not None and history.status is not None:
            found.append(history.status)
            history = history.before
        return found[::-1]


Layer = dict[tuple[Row | None, Removal | None], History]
"""The possible rows and markers after some of the events, each with its likeliest history."""

Handling = RemovalNamePolicy | None
"""The policy with which the function handled an event; None: the pipe gave it up."""


def explain(
    events: Sequence[Facts[Event]],
    row: Row | None,
    policy: RemovalNamePolicy,
    *,
    whole: bool = True,
) -> tuple[History, bool]:
    """Return the likeliest history of a product's events, and whether it leaves `row`.

    It is that of the first events only if the row shows no more of them. Unless `whole`, the ids
    that the row remembers may begin before the first event.
    """

    layers = _layers(events, lambda facts: _handlings(facts, row, policy))
    for layer in reversed(layers):
        found = [history for history in layer.values() if _agree(history.row, row, whole)]
        if found:
            return min(found, key=_unlikelihood), True
    return min(layers[-1].values(), key=_unlikelihood), False


def _layers(
    events: Sequence[Facts[Event]], handlings: Callable[[Facts[Event]], tuple[Handling, ...]]
) -> list[Layer]:
    """The layers after none, one, two … of the events; `handlings` has the likely one first."""
    layers: list[Layer] = [{(None, None): History()}]
    for facts in events:
        layer: Layer = {}
        for before in layers[-1].values():
            for detour, handling in enumerate(handlings(facts)):
                history = _after(before, facts, handling, detour)
                state = history.row, history.removed
                known = layer.get(state)
                if known is None or _unlikelihood(history) < _unlikelihood(known):
                    layer[state] = history
        if len(layer) > MOST_HISTORIES:
            kept = nsmallest(MOST_HISTORIES, layer.values(), key=_unlikelihood)
            layer = {(history.row, history.removed): history for history in kept}
        layers.append(layer)
    return layers


def _after(before: History, facts: Facts[Event], handling: Handling, detour: int) -> History:
    row, removed = before.row, before.removed
    if handling is not None:
        step = apply(row, facts.said, handling, removed)
        status = RecordStatus(step.outcome)
        if step.outcome is Outcome.APPLIED:
            row, removed = step.row, step.removed
        # A redriven event was in a queue. If it was not rejected, it was a dead letter, and the
        # function had probably not handled it.
        if facts.redriven and status is not RecordStatus.REJECTED:
            detour += 1
    else:
        status = RecordStatus.DEAD_LETTERED if facts.code is None else RecordStatus.REJECTED
        if facts.redriven:
            detour = 0
    return History(
        row,
        removed,
        before.contradictions + _contradicted(facts, status),
        before.detours + detour,
        status,
        before,
    )


def _contradicted(facts: Facts[Event], status: RecordStatus) -> bool:
    """Whether the rejected queue says otherwise. A rejection leaves it when it is redriven."""
    if status is RecordStatus.REJECTED:
        return not (facts.in_queue or facts.sent_again)
    return facts.code is not None


def _handlings(
    facts: Facts[Event], row: Row | None, policy: RemovalNamePolicy
) -> tuple[Handling, ...]:
    """What may have happened to an event, the likely first.

    An event of a dead letter counts as applied only where the row remembers it.
    """
    policies = _policies(facts, policy)
    if facts.code == QUANTITY_NOT_WHOLE:
        return (None,)
    if facts.dead_letter:
        return (None, *policies) if _remembers(row, facts.said) else (None,)
    return (*policies, None) if facts.sent_again and facts.code is None else policies


def _policies(facts: Facts[Event], policy: RemovalNamePolicy) -> tuple[RemovalNamePolicy, ...]:
    """The policies with which the function may have handled the event: it may have changed."""
    ignore, enforce = RemovalNamePolicy
    if facts.code == NAME_DIFFERS:
        return (enforce,)
    if not isinstance(facts.said, ProductRemoved) or facts.said.product_name is None:
        return (policy,)
    if policy is enforce:
        return (enforce, ignore)
    # A rejected event is in the rejected queue, or was until it was redriven.
    return (ignore, enforce) if facts.code is not None or facts.sent_again else (ignore,)


def _remembers(row: Row | None, event: Event) -> bool:
    if row is None:
        return isinstance(event, ProductRemoved)
    return event.sequence_number == row.sequence_number or event.event_id in row.recent_event_ids


def _agree(expected: Row | None, actual: Row | None, whole: bool) -> bool:
    if expected is None or actual is None:
        return expected is actual
    if actual.foreign.keys() & ATTRIBUTES:
        return False
    if whole:
        return expected == actual
    remembered = actual.recent_event_ids
    known = remembered[len(remembered) - len(expected.recent_event_ids) :]
    return expected == replace(actual, recent_event_ids=known)


def _unlikelihood(history: History) -> tuple[int, int]:
    return history.contradictions, history.detours
