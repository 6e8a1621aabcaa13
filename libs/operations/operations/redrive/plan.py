"""What each failed event would do now, and so what is to be done with it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from operator import attrgetter
from types import MappingProxyType

from inventory.event import InvalidEventError, QuantityMoved, parse
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, apply, is_guarded
from inventory_aws.event import Event
from inventory_aws.outbox import MAX_RECORD_BYTES
from operations.failures.again import carrying
from operations.redrive.item import Item

AFTER_ALL = 10**60
"""Stands for the end of the stream: AWS's sequence numbers have 56 digits."""


class Action(Enum):
    """What is to be done with an item."""

    SEND = auto()
    FORGET = auto()  # it leaves its queue without a put: the table has it already
    LEAVE = auto()


class Verdict(StrEnum):
    """What an event would come to if it were put on the stream now."""

    APPLIED = "applied"
    NOT_FOUND = "not found"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    UNORDERED = "of unknown order"
    ALREADY_APPLIED = "already applied"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Decision:
    """An item, what becomes of it, and why, where that needs saying.

    What is sent is `record`, and changes the row `before` to `after`; None is no row, and `removed`
    the marker of its removal, if there is one.
    """

    item: Item
    action: Action
    verdict: Verdict
    reason: str | None = None
    record: Event | None = None
    before: Row | None = None
    after: Row | None = None
    removed: Removal | None = None


State = tuple[Row | None, Removal | None]
"""The row of a product, and the marker of its last removal."""


def plan(
    items: Iterable[Item],
    rows: Mapping[str, Row | None],
    names: RemovalNamePolicy = RemovalNamePolicy.IGNORE,
    *,
    force: bool = False,
    removals: Mapping[str, Removal] = MappingProxyType({}),
) -> list[Decision]:
    """A decision for each item, in the order of their sequence numbers, which is each product's.

    `rows` has the present row of each product, and `removals` the marker of its last removal; each
    event is folded onto what those before it leave. One whose product has seen newer events, or
    may have, is left, unless `force`d. One that would be rejected, or that is lost, is left in any
    case.
    """
    present: dict[str, State] = {
        product_id: (rows.get(product_id), removals.get(product_id))
        for product_id in rows.keys() | removals.keys()
    }
    folded = dict(present)
    earlier: set[str] = set()
    decisions = []
    for place, item in enumerate(sorted(items, key=attrgetter("sequence_number"))):
        decision = _decide(item, AFTER_ALL + place, present, folded, earlier, names, force)
        if decision.record is not None:
            folded[decision.record.partition_key] = decision.after, decision.removed
        earlier.add(item.redrive_id)
        decisions.append(decision)
    return decisions


def _decide(
    item: Item,
    sequence_number: int,
    present: Mapping[str, State],
    folded: Mapping[str, State],
    earlier: Collection[str],
    names: RemovalNamePolicy,
    force: bool,
) -> Decision:
    if item.payload is None:
        return Decision(item, Action.LEAVE, Verdict.LOST, item.lost)
    try:
        record = _record(item, item.payload)
        event = parse(record.payload, sequence_number)
    except InvalidEventError as error:
        return Decision(item, Action.LEAVE, Verdict.REJECTED, str(error))

    row, marker = present.get(event.product_id, (None, None))
    latest = row if is_guarded(row) else marker
    before, removed = folded.get(event.product_id, (None, None))
    step = apply(before, event, names, removed)
    itself = latest is not None and latest.sequence_number == item.sequence_number
    if (item.ordered and itself) or step.outcome is Outcome.DUPLICATE:
        return Decision(item, Action.FORGET, Verdict.ALREADY_APPLIED)
    if step.outcome is Outcome.REJECTED:
        return Decision(item, Action.LEAVE, Verdict.REJECTED, step.reason)
    newer = item.ordered and _has_newer(latest, item, earlier)
    if newer and not force:
        gone = isinstance(latest, Removal)
        why = "the product was removed since" if gone else "the product has newer events"
        return Decision(item, Action.LEAVE, Verdict.SUPERSEDED, why)
    unsure = not (item.ordered or latest is None or isinstance(event, QuantityMoved))
    if unsure and not force:
        why = "its partition key was not the product id: the product may have newer events"
        return Decision(item, Action.LEAVE, Verdict.UNORDERED, why)
    verdict = Verdict.APPLIED if step.outcome is Outcome.APPLIED else Verdict.NOT_FOUND
    overwrites = step.outcome is Outcome.APPLIED and not isinstance(event, QuantityMoved)
    late = "overwrites newer events" if overwrites else "after newer events"
    if before is None and step.row is not None:
        late = "the product was removed since"
    reason = late if newer else "may undo newer events" if unsure else None
    if step.outcome is Outcome.APPLIED:
        removed = step.removed
    return Decision(item, Action.SEND, verdict, reason, record, before, step.row, removed)


def _has_newer(latest: Row | Removal | None, item: Item, earlier: Collection[str]) -> bool:
    """Whether the product has seen a newer event than the item.

    The redrive of an item before it does not count: a run that was interrupted between the two is
    to go on where it stopped.
    """
    if latest is None or (latest.sequence_number or 0) < item.sequence_number:
        return False
    return not set(latest.recent_event_ids[-1:]) & set(earlier)


def _record(item: Item, payload: bytes) -> Event:
    """What is put on the stream. Raises InvalidEventError when it would only be rejected."""
    product_id = parse(payload, 0).product_id
    data = carrying(item.redrive_id, item.place, payload)
    record = Event(data, product_id, item.redrive_id, kind="redriven")
    if record.size > MAX_RECORD_BYTES:
        raise InvalidEventError("data", f"is {record.size} bytes with its id, more than 1 MiB")
    return record


def products(items: Iterable[Item]) -> set[str]:
    """The products whose rows `plan` wants to know: those of the valid events."""
    found = set()
    for item in items:
        with suppress(InvalidEventError):
            if item.payload is not None:
                found.add(parse(item.payload, 0).product_id)
    return found
