"""What a queue offers to those who read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from eventbridge_pipes.record import Record


class Message(NamedTuple):
    """A record, and the receipt of having received it: what it takes to delete or release it."""

    record: Record
    receipt: str


@dataclass(frozen=True)
class Refusal:
    """The queue did not do to one message what it was asked for.

    `stale`: the receipt is no good any more, for the message came into view again and may be with
    another reader; asking once more would not help.
    """

    message: Message
    reason: str
    stale: bool


class Queue(Protocol):
    """A queue, as the supervisor of a pipe sees it. All raise SourceError; all are thread-safe."""

    ordered: bool
    """Whether it is FIFO: messages of a group come in order, none while others are in flight."""

    def visibility_timeout(self) -> int:
        """Seconds for which a message that was received stays hidden."""
        ...

    def receive(self, count: int, wait: int, visibility: int | None = None) -> list[Message]:
        """At most `count` messages, one to ten; waits up to `wait` seconds for the first of them.

        `visibility` replaces the queue's visibility timeout for these messages.
        """
        ...

    def delete(self, messages: Sequence[Message]) -> list[Refusal]:
        """Delete at most ten messages; those that were not deleted."""
        ...

    def release(self, messages: Sequence[Message]) -> list[Refusal]:
        """Make at most ten messages visible at once; those that were not."""
        ...
