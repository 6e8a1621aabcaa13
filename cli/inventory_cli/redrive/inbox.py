"""The two queues of failed events, read so that everything stays where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inventory_cli.failures.dead_letters import DeadLetter, parse_dead_letter
from inventory_cli.failures.queues import Message, Queue
from inventory_cli.failures.rejections import Rejection, parse_rejection
from inventory_cli.failures.stream import ExpiredError, StreamRecord, read_range, reader
from inventory_cli.redrive.carry_out import Letter
from inventory_cli.redrive.item import Item, Origin, claims

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

    from inventory_cli.workbench import Workbench

HOLD_SECONDS = 120
"""How long messages stay out of others' sight, should this program die while it has them."""


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


def inbox(bench: Workbench, origins: Iterable[Origin]) -> Inbox:
    """The inbox of a pipeline, of these queues only."""
    names = {
        Origin.REJECTED: bench.names.rejected_queue,
        Origin.DEAD_LETTERS: bench.names.dead_letter_queue,
    }
    queues = {origin: Queue(bench.clients.sqs, names[origin]) for origin in origins}
    return Inbox(reader(bench.session), bench.names.stream, queues)


class Inbox:
    """Queues of failed events, and the stream that has what their messages leave out."""

    def __init__(self, kinesis: KinesisClient, stream: str, queues: Mapping[Origin, Queue]) -> None:
        self._kinesis = kinesis
        self._stream = stream
        self._queues = queues

    def look(self) -> Contents:
        """What is there now. The messages are visible to others again when it returns."""
        items: dict[str, Item] = {}
        letters: list[Letter] = []
        foreign = 0
        for origin, queue in self._queues.items():
            queue.release(messages := queue.look(visible_after=HOLD_SECONDS))
            for message in messages:
                found = {item.name: item for item in self._items(origin, message)}
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

    def _items(self, origin: Origin, message: Message) -> list[Item]:
        match origin:
            case Origin.REJECTED:
                rejection = parse_rejection(message.body)
                return [self._rejected(rejection, message)] if rejection else []
            case Origin.DEAD_LETTERS:
                letter = parse_dead_letter(message.body)
                return self._dead(letter) if letter else []

    def _rejected(self, rejection: Rejection, message: Message) -> Item:
        payload, lost = rejection.payload, None
        if payload is None:
            number = rejection.sequence_number
            records = self._range(rejection.shard_id, number, number)
            payload = records[0].data if records else None
            lost = None if records else "too long for its queue, and no longer on the stream"
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
        )

    def _dead(self, letter: DeadLetter) -> list[Item]:
        records = self._range(letter.shard_id, letter.first, letter.last)
        if not records:
            return [_lost(letter)]
        return [_dead(letter, record) for record in records]

    def _range(self, shard_id: str, first: int, last: int) -> list[StreamRecord]:
        """The records, none if they have expired."""
        try:
            return read_range(self._kinesis, self._stream, shard_id, first, last)
        except ExpiredError:
            return []


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
    )


def _lost(letter: DeadLetter) -> Item:
    return Item(
        origin=Origin.DEAD_LETTERS,
        shard_id=letter.shard_id,
        sequence_number=letter.first,
        failed_at=letter.given_up_at,
        reason=letter.condition,
        event_id=None,
        product_id=None,
        payload=None,
        lost=f"records no longer on the stream: {letter.count}, up to {letter.last}",
    )
