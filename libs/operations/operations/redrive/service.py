"""Read the failed events of a pipeline, and send them again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inventory.event import KEY_DIFFERS, claims
from inventory.failure_messages import DeadLetter, parse_dead_letter, parse_rejection
from inventory_aws.sender import Accepted, Sender
from inventory_aws.stream import ShardRanges, StreamRecord
from operations.queue import Queue, ReceivedMessage
from operations.redrive.failed_event import FailedEvent, Origin
from operations.redrive.plan import (
    Action,
    Decision,
    EventMessage,
    carry_out,
    concerned,
    plan,
)
from operations.table import look_up

if TYPE_CHECKING:
    from inventory_aws.outbox import Event
    from operations.access import Access

HIDDEN_SECONDS = 120
"""How long messages stay hidden from others if this program dies while it has them."""


@dataclass(frozen=True, slots=True)
class FailedEvents:
    """The failed events, each once, in the order of their sequence numbers; the messages that
    stand for them; and the number of messages that are not from the pipeline."""

    events: Sequence[FailedEvent]
    messages: Sequence[EventMessage]
    foreign: int


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many events were sent; how many left their queue because the table had them already; and
    how many messages somebody else had received or deleted."""

    sent: int
    removed: int
    skipped: int


class Redrive:
    """Works on the failed events of a pipeline, in both queues or one of them."""

    def __init__(self, access: Access, origins: Iterable[Origin] = Origin) -> None:
        names = {
            Origin.REJECTED: access.names.rejected_queue,
            Origin.DEAD_LETTERS: access.names.dead_letter_queue,
        }
        self._access = access
        self._queues = {origin: Queue(access.clients.sqs, names[origin]) for origin in origins}

    def hidden(self) -> int:
        """About how many messages somebody else has received and not deleted yet."""
        return sum(queue.hidden() for queue in self._queues.values())

    def read(self) -> FailedEvents:
        """Return the failed events. Their messages stay, and are visible to others again."""
        events: dict[str, FailedEvent] = {}
        messages: list[EventMessage] = []
        foreign = 0
        clients, names = self._access.clients, self._access.names
        ranges = ShardRanges(clients.stream_reader, names.stream)
        for origin, queue in self._queues.items():
            of_message = _rejected if origin is Origin.REJECTED else _dead_lettered
            for message in queue.peek(HIDDEN_SECONDS):
                found = {event.name: event for event in of_message(message, ranges)}
                if found:
                    messages.append(_event_message(message, found.values()))
                else:
                    foreign += 1
                events = found | events  # a record may be in both: its rejection says more
        ordered = sorted(events.values(), key=lambda event: event.sequence_number)
        return FailedEvents(ordered, messages, foreign)

    def plan(self, events: Sequence[FailedEvent], *, force: bool = False) -> list[Decision]:
        """Decide by the present rows what to do with the events."""
        access = self._access
        claimed = [claims(event.payload)[1] for event in events if event.payload is not None]
        product_ids = {product_id for product_id in claimed if product_id is not None}
        rows, removals = look_up(access.clients.dynamodb, access.names, product_ids)
        return plan(events, rows, access.policy, force=force, removals=removals)

    def carry_out(
        self,
        decisions: Sequence[Decision],
        messages: Iterable[EventMessage],
        *,
        on_sent: Callable[[Decision, Accepted], object] = lambda decision, accepted: None,
        check: Callable[[], object] = lambda: None,
        wait: Callable[[float], object] = time.sleep,
        give_up_after: float = 60.0,
    ) -> Redriven:
        """Carry out the decisions about events whose messages are still there.

        Others cannot see the messages meanwhile. What `check` raises ends it between two products.
        Raises SendingError and the clients' errors; then the rest is still in its queue.
        """
        accepted: list[Accepted] = []
        sender = Sender(
            self._access.clients.kinesis,
            self._access.names.stream,
            on_accepted=accepted.append,
            clock=time.monotonic,
            wait=wait,
            give_up_after=give_up_after,
        )
        wanted = {message.message_id: message for message in concerned(decisions, messages)}
        held: dict[EventMessage, tuple[Queue, ReceivedMessage]] = {}

        def put(decision: Decision, record: Event) -> None:
            sender.send([record])
            on_sent(decision, accepted[-1])

        def delete(message: EventMessage) -> None:
            queue, received = held[message]
            queue.delete(received)
            del held[message]

        try:
            for queue in self._queues.values():
                received = queue.receive_all(HIDDEN_SECONDS)
                queue.release([m for m in received if m.message_id not in wanted])
                held |= {
                    wanted[m.message_id]: (queue, m) for m in received if m.message_id in wanted
                }
            names = {name for message in held for name in message.names}
            here = [decision for decision in decisions if decision.event.name in names]
            skipped = len(wanted) - len(held)
            carry_out(here, list(held), put, delete, check)
        finally:
            for queue in self._queues.values():
                queue.release([message for of, message in held.values() if of is queue])
        removed = sum(decision.action is Action.REMOVE for decision in here)
        return Redriven(len(accepted), removed, skipped)


def _rejected(message: ReceivedMessage, ranges: ShardRanges) -> list[FailedEvent]:
    rejection = parse_rejection(message.body)
    if rejection is None:
        return []
    payload, lost = rejection.payload, None
    if payload is None:
        number = rejection.sequence_number
        records = ranges.read(rejection.shard_id, number, number, count=1)
        payload = records[0].data if records else None
        lost = None if records else "too long for the queue, and no longer on the stream"
    return [
        FailedEvent(
            origin=Origin.REJECTED,
            shard_id=rejection.shard_id,
            sequence_number=rejection.sequence_number,
            failed_at=message.sent_at,
            reason=rejection.reason,
            event_id=rejection.event_id,
            product_id=rejection.product_id,
            payload=payload,
            lost=lost,
            ordered=rejection.code != KEY_DIFFERS,
        )
    ]


def _dead_lettered(message: ReceivedMessage, ranges: ShardRanges) -> list[FailedEvent]:
    """A failed event for each record that is left on the stream, and one for those that are not."""
    letter = parse_dead_letter(message.body)
    if letter is None:
        return []
    records = ranges.read(letter.shard_id, letter.first, letter.last, letter.count)
    events = [_event_of(letter, record.sequence_number, record) for record in records]
    if not records or records[0].sequence_number != letter.first:
        end = f"before {records[0].sequence_number}" if records else f"up to {letter.last}"
        lost = f"records no longer on the stream: {letter.count - len(records)}, {end}"
        events.append(replace(_event_of(letter, letter.first), lost=lost))
    return events


def _event_of(
    letter: DeadLetter, sequence_number: int, record: StreamRecord | None = None
) -> FailedEvent:
    event_id, product_id = claims(record.data) if record else (None, None)
    return FailedEvent(
        origin=Origin.DEAD_LETTERS,
        shard_id=letter.shard_id,
        sequence_number=sequence_number,
        failed_at=letter.given_up_at,
        reason=letter.condition,
        event_id=event_id,
        product_id=product_id,
        payload=record.data if record else None,
        ordered=record is None or product_id in (None, record.partition_key),
    )


def _event_message(message: ReceivedMessage, events: Iterable[FailedEvent]) -> EventMessage:
    """Lost records get a name that no failed event has: to redrive the first of them from the other
    queue does not settle the rest."""
    names = {event.name if event.lost is None else message.message_id for event in events}
    return EventMessage(message.message_id, frozenset(names))
