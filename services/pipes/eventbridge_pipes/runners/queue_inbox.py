"""The messages of a queue that a pipe has in hand: those waiting to leave and those under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.execution.batch import BatchRules, cut
from eventbridge_pipes.runners.queue_rules import batches_at_once, group_of, to_receive
from eventbridge_pipes.sources.queue import Message

LOOK_AGAIN = 1.0
"""Seconds after which the limit of batches under way may have grown."""


class _Waiting(NamedTuple):
    since: float
    message: Message


class Inbox:
    """One thread puts in what it receives, another takes batches out, and many report their end.

    Of a FIFO queue (`ordered`) no message leaves while one of its group is under way.
    """

    def __init__(
        self,
        rules: BatchRules,
        ordered: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._ordered = ordered
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._bytes = 0
        self._under_way: dict[int, Sequence[Message]] = {}
        self._ended = 0
        self._busy_since: float | None = None
        self._faults = 0
        self._held_until = 0.0
        self._stopped = False

    def wanted(self) -> int:
        """How many messages to receive, once there is room for any; 0 when the pipe stops."""
        with self._changed:
            while not self._stopped:
                held = self._held_until - self._monotonic()
                free = self._free_batches()
                count = to_receive(len(self._waiting), free, self._rules.size, self._ordered)
                if count and held <= 0:
                    return count
                self._changed.wait(held if held > 0 else LOOK_AGAIN)
            return 0

    def put(self, messages: Sequence[Message]) -> bool:
        """Let in what one receive brought, be it nothing; false when it came too late."""
        with self._changed:
            if self._stopped:
                return False
            now = self._monotonic()
            if not messages:
                self._busy_since = None
            elif self._busy_since is None:
                self._busy_since = now
            # A batch that waits for its window need not be looked at each time that it grows.
            growing = bool(self._waiting) and self._rules.window > 0 and not self._ordered
            self._waiting += [_Waiting(now, message) for message in messages]
            self._bytes += _size(messages)
            if not growing or self._is_full():
                self._changed.notify_all()
            return True

    def take(self) -> list[Message]:
        """The next batch, when it is due and may begin; empty when the pipe stops."""
        with self._changed:
            while not self._stopped:
                batch, pause = self._due()
                if batch:
                    self._under_way[id(batch)] = batch
                    self._changed.notify_all()
                    return batch
                self._changed.wait(pause)
            return []

    def finished(
        self, batch: Sequence[Message], failed: Sequence[Message] = (), fault: bool = False
    ) -> None:
        """`batch`, as `take` gave it, is no longer under way.

        What waits behind a failed message of its group is left to the queue, like that message.
        After a fault of the target the next messages are not received at once.
        """
        with self._changed:
            del self._under_way[id(batch)]
            self._ended += 1
            failed_groups = self._groups(failed)
            if failed_groups:
                self._remove([w for w in self._waiting if self._group(w) in failed_groups])
            self._faults = self._faults + 1 if fault else 0
            if fault:
                self._busy_since = None
                self._held_until = self._monotonic() + growing_pause(self._faults)
            self._changed.notify_all()

    def stop(self) -> None:
        """Wake all sides for good."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def empty_out(self) -> list[Message]:
        """What is still waiting; for when the pipe has been stopped."""
        with self._changed:
            left = self._waiting
            self._remove(left)
            return [waiting.message for waiting in left]

    def progress(self) -> tuple[int, bool]:
        """How many batches have ended, and whether any message is in hand."""
        with self._changed:
            return self._ended, bool(self._waiting or self._under_way)

    def wait_for_end(self, ended: int, timeout: float) -> None:
        """Until more than `ended` batches have ended, or for `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._ended > ended, timeout)

    def wait_until_finished(self) -> None:
        """Returns when no batch is under way."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way)

    def oldest_arrival(self) -> float | None:
        """When the oldest message in hand was sent (epoch seconds)."""
        with self._changed:
            waiting = [waiting.message for waiting in self._waiting]
            in_hand = chain(waiting, *self._under_way.values())
            return min((message.record.arrived for message in in_hand), default=None)

    def _due(self) -> tuple[list[Message], float | None]:
        """The batch that leaves now; else how long to wait, if it is only a matter of time."""
        if self._free_batches() <= 0:
            return [], LOOK_AGAIN
        busy = self._groups(chain.from_iterable(self._under_way.values()))
        ready = [w for w in self._waiting if self._group(w) not in busy] if busy else self._waiting
        waited = self._monotonic() - ready[0].since if ready else 0.0
        sizes = (waiting.message.record.size for waiting in ready)
        due = cut(sizes, waited, False, self._rules)
        leaving = ready[: due.count]
        self._remove(leaving)
        return [waiting.message for waiting in leaving], due.wait

    def _free_batches(self) -> int:
        busy = self._monotonic() - self._busy_since if self._busy_since is not None else 0.0
        return batches_at_once(busy) - len(self._under_way)

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._rules.size or self._bytes >= self._rules.payload

    def _group(self, waiting: _Waiting) -> str | None:
        return group_of(waiting.message, self._ordered)

    def _groups(self, messages: Iterable[Message]) -> set[str | None]:
        return {group_of(message, self._ordered) for message in messages} - {None}

    def _remove(self, leaving: Sequence[_Waiting]) -> None:
        gone = set(map(id, leaving))
        self._bytes -= _size(waiting.message for waiting in leaving)
        self._waiting = [waiting for waiting in self._waiting if id(waiting) not in gone]


def _size(messages: Iterable[Message]) -> int:
    return sum(message.record.size for message in messages)
