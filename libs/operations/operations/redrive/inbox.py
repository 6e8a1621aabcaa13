"""The two queues of failed events, read so that everything stays where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inventory.dead_letters import DeadLetter, parse_dead_letter
from inventory.event import KEY_DIFFERS, claims
from inventory.rejections import Rejection, parse_rejection
from inventory.stream import StreamRecord, Stretches
from operations.failures.queues import Message, Queue
from operations.failures.stream import reader
from operations.redrive.carry_out import Letter
from operations.redrive.item import Item, Origin

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

    from operations.access import Access

HOLD_SECONDS = 120
"""How long messages stay out of others' sight, should this program die while it has them; longer if
there are so many that reading them takes longer (`Queue.look`)."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The failed events, each once, in the order of their sequence numbers; the messages that
    stand for them; and how many messages were none of ours."""

    items: Sequence[Item]
    letters: Sequence[Letter]
    foreign: int


@dataclass(frozen=True, slots=True)
class Held:
    """Messages that others do not see for now, by the letters that they are."""

    messages: dict[Letter, tuple[Queue, Message]]

    @property
    def names(self) -> frozenset[str]:
        """The items that they stand for."""
        return frozenset[str]().union(*(letter.names for letter in self.messages))

    def delete(self, letter: Letter) -> None:
        queue, message = self.messages[letter]
        queue.delete(message)
        del self.messages[letter]


def inbox(access: Access, origins: Iterable[Origin]) -> Inbox:
    """The inbox of a pipeline, of these queues only."""
    names = {
        Origin.REJECTED: access.names.rejected_queue,
        Origin.DEAD_LETTERS: access.names.dead_letter_queue,
    }
    queues = {origin: Queue(access.clients.sqs, names[origin]) for origin in origins}
    return Inbox(reader(access.session), access.names.stream, queues)


class Inbox:
    """Queues of failed events, and the stream that has what their messages leave out."""

    def __init__(self, kinesis: KinesisClient, stream: str, queues: Mapping[Origin, Queue]) -> None:
        self._kinesis = kinesis
        self._stream = stream
        self._queues = queues

    def hidden(self) -> int:
        """Return about how many messages somebody else has received and not deleted yet."""
        return sum(queue.hidden() for queue in self._queues.values())

    def look(self, found_so_far: Callable[[int], object] = lambda _count: None) -> Contents:
        """What is there now. The messages are visible to others again when it returns."""
        items: dict[str, Item] = {}
        letters: list[Letter] = []
        foreign = 0
        stretches = Stretches(self._kinesis, self._stream)
        for origin, queue in self._queues.items():
            messages = queue.look(visible_after=HOLD_SECONDS, found_so_far=found_so_far)
            queue.release(messages)
            for message in messages:
                found = {item.name: item for item in _items(origin, message, stretches)}
                if found:
                    letters.append(_letter(message, found.values()))
                else:
                    foreign += 1
                items = found | items  # a record may be in both: its rejection says more
        ordered = sorted(items.values(), key=lambda item: item.sequence_number)
        return Contents(ordered, letters, foreign)

    @contextmanager
    def holding(self, letters: Sequence[Letter]) -> Iterator[Held]:
        """Those of the letters that are still there, kept from others meanwhile."""
        wanted = {letter.message_id: letter for letter in letters}
        held = Held({})
        try:
            for queue in self._queues.values():
                messages = queue.look(visible_after=HOLD_SECONDS)
                queue.release([m for m in messages if m.message_id not in wanted])
                for message in messages:
                    if message.message_id in wanted:
                        held.messages[wanted[message.message_id]] = (queue, message)
            yield held
        finally:
            for queue in self._queues.values():
                queue.release([m for q, m in held.messages.values() if q is queue])


def _items(origin: Origin, message: Message, stretches: Stretches) -> list[Item]:
    match origin:
        case Origin.REJECTED:
            rejection = parse_rejection(message.body)
            return [_rejected(rejection, message, stretches)] if rejection else []
        case Origin.DEAD_LETTERS:
            letter = parse_dead_letter(message.body)
            return _of_letter(letter, stretches) if letter else []


def _rejected(rejection: Rejection, message: Message, stretches: Stretches) -> Item:
    payload, lost = rejection.payload, None
    if payload is None:
        number = rejection.sequence_number
        records = stretches.read(rejection.shard_id, number, number, count=1)
        payload = records[0].data if records else None
        lost = None if records else "too long for the queue, and no longer on the stream"
    return Item(
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


def _of_letter(letter: DeadLetter, stretches: Stretches) -> list[Item]:
    """An item for each record that is left, and one for those that are not."""
    records = stretches.read(letter.shard_id, letter.first, letter.last, letter.count)
    items = [_dead(letter, record) for record in records]
    if not records or records[0].sequence_number != letter.first:
        items.append(_lost(letter, records))
    return items


def _letter(message: Message, items: Iterable[Item]) -> Letter:
    """The letter that a message is. One whose records are lost has a name that no item has: that
    its first record lies in the other queue too, and is redriven from there, settles no other."""
    names = {item.name if item.lost is None else message.message_id for item in items}
    return Letter(message.message_id, frozenset(names))


def _dead(letter: DeadLetter, record: StreamRecord) -> Item:
    event_id, product_id = claims(record.data)
    return Item(
        origin=Origin.DEAD_LETTERS,
        shard_id=record.shard_id,
        sequence_number=record.sequence_number,
        failed_at=letter.given_up_at,
        reason=letter.condition,
        event_id=event_id,
        product_id=product_id,
        payload=record.data,
        ordered=product_id in (None, record.partition_key),
    )


def _lost(letter: DeadLetter, left: Sequence[StreamRecord]) -> Item:
    """The records of a letter that the stream no longer holds, the oldest ones."""
    end = f"before {left[0].sequence_number}" if left else f"up to {letter.last}"
    return Item(
        origin=Origin.DEAD_LETTERS,
        shard_id=letter.shard_id,
        sequence_number=letter.first,
        failed_at=letter.given_up_at,
        reason=letter.condition,
        event_id=None,
        product_id=None,
        payload=None,
        lost=f"records no longer on the stream: {letter.count - len(left)}, {end}",
    )
