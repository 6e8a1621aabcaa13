"""Decide what to do with each failed event, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from operator import attrgetter

from inventory.event import Event, InvalidEventError, QuantityMoved, parse
from inventory.stock import Outcome, Removal, RemovalNamePolicy, Row, apply, is_guarded
from inventory_aws import outbox
from operations.redrive.failed_event import FailedEvent, marked

END_OF_STREAM = 10**60
"""Larger than any sequence number of AWS: those have 56 digits."""


class Action(Enum):
    """What to do with a failed event."""

    SEND = auto()
    REMOVE = auto()  # from its queue, because the table has it already
    LEAVE = auto()


class Effect(StrEnum):
    """What an event would come to if it were sent now."""

    APPLIED = "applied"
    NOT_FOUND = "not found"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    UNORDERED = "of unknown order"
    ALREADY_APPLIED = "already applied"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with an event, and why, where that needs saying.

    `record` is what is sent. It changes the row `before` to `after`; None is no row, and `removed`
    the marker of its removal.
    """

    event: FailedEvent
    action: Action
    effect: Effect
    reason: str | None = None
    record: outbox.Event | None = None
    before: Row | None = None
    after: Row | None = None
    removed: Removal | None = None


@dataclass(frozen=True, slots=True)
class EventMessage:
    """A message of a queue, and the names of the failed events that it stands for."""

    message_id: str
    names: frozenset[str]


State = tuple[Row | None, Removal | None]
"""The row of a product, and the marker of its last removal."""


def plan(
    events: Iterable[FailedEvent],
    rows: Mapping[str, Row | None],
    policy: RemovalNamePolicy = RemovalNamePolicy.IGNORE,
    *,
    force: bool = False,
    removals: Mapping[str, Removal] = {},
) -> list[Decision]:
    """Return a decision for each event, in the order of their sequence numbers.

    `rows` and `removals` are the present state of each product; each event is applied to what those
    before it leave. An event whose product has seen newer events, or may have, stays unless `force`
    is set. One that would be rejected, or is lost, stays in any case.
    """
    present: dict[str, State] = {
        product_id: (rows.get(product_id), removals.get(product_id))
        for product_id in rows.keys() | removals.keys()
    }
    after = dict(present)
    earlier: set[str] = set()
    decisions = []
    for index, event in enumerate(sorted(events, key=attrgetter("sequence_number"))):
        decision = _decide(event, END_OF_STREAM + index, present, after, earlier, policy, force)
        if decision.record is not None:
            after[decision.record.partition_key] = decision.after, decision.removed
        earlier.add(event.redrive_id)
        decisions.append(decision)
    return decisions


def _decide(
    failed: FailedEvent,
    sequence_number: int,
    present: Mapping[str, State],
    after: Mapping[str, State],
    earlier: Collection[str],
    policy: RemovalNamePolicy,
    force: bool,
) -> Decision:
    if failed.payload is None:
        return Decision(failed, Action.LEAVE, Effect.LOST, failed.lost)
    try:
        product_id = parse(failed.payload, sequence_number).product_id
    except InvalidEventError as error:
        return Decision(failed, Action.LEAVE, Effect.REJECTED, str(error))
    data = marked(failed.redrive_id, failed.place, failed.payload)
    record = outbox.Event(data, product_id, failed.redrive_id, kind="redriven")
    if record.size > outbox.MAX_RECORD_BYTES:
        why = f"data is {record.size} bytes with its id, more than 1 MiB"
        return Decision(failed, Action.LEAVE, Effect.REJECTED, why)

    event = parse(data, sequence_number)
    row, marker = present.get(event.product_id, (None, None))
    latest = row if is_guarded(row) else marker
    before, removed = after.get(event.product_id, (None, None))
    step = apply(before, event, policy, removed)
    itself = latest is not None and latest.sequence_number == failed.sequence_number
    if (failed.ordered and itself) or step.outcome is Outcome.DUPLICATE:
        return Decision(failed, Action.REMOVE, Effect.ALREADY_APPLIED)
    if step.outcome is Outcome.REJECTED:
        return Decision(failed, Action.LEAVE, Effect.REJECTED, step.reason)
    doubt = _doubt(failed, event, latest, earlier)
    if doubt is not None and not force:
        return Decision(failed, Action.LEAVE, *doubt)
    reason = doubt[1] if doubt is not None else None
    if step.outcome is Outcome.NOT_FOUND:
        return Decision(failed, Action.SEND, Effect.NOT_FOUND, reason, record, removed=removed)
    return Decision(
        failed, Action.SEND, Effect.APPLIED, reason, record, before, step.row, step.removed
    )


def _doubt(
    failed: FailedEvent, event: Event, latest: Row | Removal | None, earlier: Collection[str]
) -> tuple[Effect, str] | None:
    """Why the product may have seen newer events; None: it has not."""
    if latest is None:
        return None
    if not failed.ordered:
        if isinstance(event, QuantityMoved):  # comes to the same in any order
            return None
        return (
            Effect.UNORDERED,
            "its partition key was not the product id: the product may have newer events",
        )
    if (latest.sequence_number or 0) < failed.sequence_number:
        return None
    # Earlier events that were redriven do not count: an interrupted redrive can go on.
    if set(latest.recent_event_ids[-1:]) & set(earlier):
        return None
    gone = isinstance(latest, Removal)
    return (
        Effect.SUPERSEDED,
        "the product was removed since" if gone else "the product has newer events",
    )


def carry_out(
    decisions: Iterable[Decision],
    messages: Iterable[EventMessage],
    put: Callable[[Decision, outbox.Event], object],
    delete: Callable[[EventMessage], object],
    check: Callable[[], object] = lambda: None,
) -> None:
    """Put the records, product by product, and delete the messages whose events are all settled.

    It can be interrupted anywhere. A product's messages are deleted when all its records were put:
    until then, the next run finds the others in their queue and sees on the table that they were
    put. `check` may raise to end it between two products.
    """
    products: dict[str | None, list[Decision]] = {}
    for decision in decisions:
        if decision.action is not Action.LEAVE:
            products.setdefault(decision.event.product_id, []).append(decision)
    left = list(messages)
    settled: set[str] = set()
    for group in products.values():
        check()
        for decision in group:
            if decision.record is not None:
                put(decision, decision.record)
        settled |= {decision.event.name for decision in group}
        for message in [message for message in left if message.names <= settled]:
            delete(message)
            left.remove(message)


def concerned(
    decisions: Iterable[Decision], messages: Iterable[EventMessage]
) -> list[EventMessage]:
    """The messages that have an event to send or to remove."""
    leaving = _leaving(decisions)
    return [message for message in messages if message.names & leaving]


def staying(decisions: Sequence[Decision], messages: Iterable[EventMessage]) -> list[EventMessage]:
    """Those of them that stay in their queue, because some of their events stay."""
    leaving = _leaving(decisions)
    return [message for message in concerned(decisions, messages) if message.names - leaving]


def _leaving(decisions: Iterable[Decision]) -> set[str]:
    return {d.event.name for d in decisions if d.action is not Action.LEAVE}
