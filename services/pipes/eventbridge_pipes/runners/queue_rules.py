"""The decisions about a queue: how much to receive, what may leave, what is done with."""

from __future__ import annotations

from collections.abc import Sequence

from eventbridge_pipes.outcome import Outcome, failed_positions
from eventbridge_pipes.sources.queue import Message

CALL_LIMIT = 10
"""Messages that one call receives, deletes or releases at most."""

FIRST_BATCHES = 5
MORE_BATCHES_A_SECOND = 1.0
MOST_BATCHES = 64
"""AWS goes up to 1,000; each takes a thread here, and up to 6 MB."""

LONGEST_VISIBILITY = 12 * 60 * 60


def batches_at_once(busy: float) -> int:
    """How many batches may be under way; `busy` is how long, in seconds, the queue has had more.

    Five, then one more a second, as on AWS.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
    """
    return min(MOST_BATCHES, FIRST_BATCHES + int(busy * MORE_BATCHES_A_SECOND))


def to_receive(waiting: int, free_batches: int, size: int, ordered: bool) -> int:
    """How many messages to ask for; 0 when what is waiting fills the batches that may begin.

    What is received is hidden from that moment on, so no more is asked for than can leave. Of a
    FIFO queue no more than one batch: messages of one group leave one batch after the other.
    """
    batches = min(free_batches, 1) if ordered else free_batches
    return max(0, min(CALL_LIMIT, batches * size - waiting))


def group_of(message: Message, ordered: bool) -> str | None:
    """The group whose order has to be kept: a standard queue's groups keep none."""
    return message.record.partition_key if ordered else None


def settled(
    batch: Sequence[Message], outcome: Outcome, ordered: bool
) -> tuple[list[Message], list[Message]]:
    """The messages of `batch` to delete, and those to leave to the queue, which failed.

    After a failed message the later ones of its group count as failed too: the target may have
    taken them, but deleting them would have the failed one come after them.
    """
    failed_ones = failed_positions(outcome, len(batch))
    done, failed = [], []
    failed_groups = set()
    for position, message in enumerate(batch):
        group = group_of(message, ordered)
        if position in failed_ones or group in failed_groups:
            failed.append(message)
            if group is not None:
                failed_groups.add(group)
        else:
            done.append(message)
    return done, failed


def visibility_for(queue_timeout: int, window: float) -> int | None:
    """The visibility timeout to receive with, in seconds; None for the queue's own.

    A message that waits for its batch uses its timeout up. Where the batching window would take
    more than half of it, the window comes on top: otherwise messages would come into view again,
    and be received twice, before their batch has left. AWS leaves this to whoever sets the queue
    up, and advises a timeout six times as long as the pipe takes.
    """
    if window * 2 <= queue_timeout:
        return None
    return min(LONGEST_VISIBILITY, queue_timeout + int(window))
