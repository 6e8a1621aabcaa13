"""What can have become of a product: the histories of its events that the evidence allows. Pure.

Delivery is at least once, so the stream alone does not say what happened: a batch that was given
up on may have been written before its answer was lost, and an event that is on the stream twice
may have been given up on the first time and put again since. So the fold goes both ways where both
are possible, and the row of the table tells which way it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import nsmallest

from inventory.event import Event, ProductRemoved
from inventory.items import ATTRIBUTES
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, apply
from inventory.stream import StreamRecord

NAME_DIFFERS = "product.product_name.differs"
"""The code of a removal that was rejected under RemovalNamePolicy.ENFORCE."""

QUANTITY_NOT_WHOLE = "product.quantity_change.not_whole"
"""The code of a change by an amount that was rejected because the quantity of the row, written by
another program, is not a whole number."""

MOST_HISTORIES = 256
"""How many are followed side by side; of more, the likeliest. They grow together again where
their rows do."""


class Fate(StrEnum):
    """What became of a record of the stream."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    DEAD_LETTERED = "dead_lettered"
    WAITING = "waiting"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Item:
    """An event of the product, and what else is known of its record.

    `rejection`: its rejection is in the queue, with `code`, unless that is older than the codes;
    `dead_letter`: a dead letter in the queue covers it; `put_again`: an event of the same id comes
    later on the stream; `redriven`: one comes that says it is this one, put again out of its queue.
    """

    record: StreamRecord
    event: Event
    rejection: bool
    code: str | None
    dead_letter: bool
    put_again: bool
    redriven: bool


@dataclass(frozen=True, slots=True)
class History:
    """One possible course of events: the row that it leaves, or the marker of its removal, and
    what became of each event so far.

    `contradictions` counts what the rejected queue says against it, `detours` the events that
    went the unlikely way.
    """

    row: Row | None = None
    removed: Removal | None = None
    contradictions: int = 0
    detours: int = 0
    fate: Fate | None = None
    before: History | None = None

    def fates(self) -> list[Fate]:
        found: list[Fate] = []
        here: History | None = self
        while here is not None and here.fate is not None:
            found.append(here.fate)
            here = here.before
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The likeliest history, of the first of the events only if the row shows no more of them;
    `explained` when it leaves the row that there is."""

    history: History
    explained: bool


Layer = dict[tuple[Row | None, Removal | None], History]
"""The rows and markers there can be after some of the events, each with its likeliest history."""

Way = RemovalNamePolicy | None
"""The policy that the function handled an event under; None: the pipe gave up on the event."""

Ways = Callable[[Item], tuple[Way, ...]]
"""What is possible, the likely way first."""


def explain(
    items: Sequence[Item], row: Row | None, names: RemovalNamePolicy, *, whole: bool = True
) -> Explanation:
    """The history of `items`, a product's events in stream order, that leaves `row`.

    Without `whole`, the ids that the row remembers may begin before the first of `items`.
    """

    def matching(layer: Layer) -> History | None:
        found = [history for history in layer.values() if _agree(history.row, row, whole)]
        return min(found, key=_unlikelihood, default=None)

    likely = _layers(items, lambda item: _likely(item, names))
    plain = matching(likely[-1])
    if plain is not None and plain.contradictions == 0:
        return Explanation(plain, explained=True)
    for layer in reversed(_layers(items, lambda item: _possible(item, row, names))):
        if (history := matching(layer)) is not None:
            return Explanation(history, explained=True)
    return Explanation(next(iter(likely[-1].values())), explained=False)


def _layers(items: Sequence[Item], ways: Ways) -> list[Layer]:
    """The layers after none, one, two … of `items`."""
    layers: list[Layer] = [{(None, None): History()}]
    for item in items:
        layer: Layer = {}
        for before in layers[-1].values():
            for detour, way in enumerate(ways(item)):
                history = _after(before, item, way, detour)
                state = history.row, history.removed
                known = layer.get(state)
                if known is None or _unlikelihood(history) < _unlikelihood(known):
                    layer[state] = history
        if len(layer) > MOST_HISTORIES:
            kept = nsmallest(MOST_HISTORIES, layer.values(), key=_unlikelihood)
            layer = {(history.row, history.removed): history for history in kept}
        layers.append(layer)
    return layers


def _after(before: History, item: Item, way: Way, detour: int) -> History:
    row, removed = before.row, before.removed
    if way is not None:
        step = apply(row, item.event, way, removed)
        fate = Fate(step.outcome)
        if step.outcome is Outcome.APPLIED:
            row, removed = step.row, step.removed
        # A redriven event was in a queue. If it was not rejected, it was a dead letter, and the
        # function had probably not handled it.
        if item.redriven and fate is not Fate.REJECTED:
            detour += 1
    else:
        fate = Fate.REJECTED if item.rejection else Fate.DEAD_LETTERED
        if item.redriven:
            detour = 0
    return History(
        row,
        removed,
        before.contradictions + contradicted(item, fate),
        before.detours + detour,
        fate,
        before,
    )


def contradicted(item: Item, fate: Fate) -> bool:
    """Whether the rejected queue says otherwise. A rejection leaves it when it is put again."""
    if fate is Fate.REJECTED:
        return not (item.rejection or item.put_again or item.dead_letter)
    return item.rejection


def _likely(item: Item, names: RemovalNamePolicy) -> tuple[Way, ...]:
    if item.dead_letter or item.code == QUANTITY_NOT_WHOLE:
        return (None,)
    policy = RemovalNamePolicy.ENFORCE if item.code == NAME_DIFFERS else names
    return (policy, None) if item.redriven and not item.rejection else (policy,)


def _possible(item: Item, row: Row | None, names: RemovalNamePolicy) -> tuple[Way, ...]:
    """A dead-lettered event counts as applied only where the row bears its mark."""
    if item.code == QUANTITY_NOT_WHOLE:
        return (None,)
    policies = _policies(item, names)
    if item.dead_letter:
        return (None, *policies) if _marked(row, item.event) else (None,)
    return (*policies, None) if item.put_again and not item.rejection else policies


def _policies(item: Item, names: RemovalNamePolicy) -> tuple[RemovalNamePolicy, ...]:
    """Under which the function may have handled the event: it may have had another one then."""
    ignore, enforce = RemovalNamePolicy
    if item.code == NAME_DIFFERS:
        return (enforce,)
    if not isinstance(item.event, ProductRemoved) or item.event.product_name is None:
        return (names,)
    if names is enforce:
        return (enforce, ignore)
    # What was rejected is, or was until a redrive, in the rejected queue.
    return (ignore, enforce) if item.rejection or item.put_again else (ignore,)


def _marked(row: Row | None, event: Event) -> bool:
    if row is None:
        return isinstance(event, ProductRemoved)
    return event.sequence_number == row.sequence_number or event.event_id in row.recent_event_ids


def _unlikelihood(history: History) -> tuple[int, int]:
    return history.contradictions, history.detours


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
