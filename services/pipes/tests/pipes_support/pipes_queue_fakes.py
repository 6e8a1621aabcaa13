"""A queue in memory that can do what no emulator does: refuse, break, keep a receive waiting."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from eventbridge_pipes.outcome import SUCCEEDED, Outcome
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources.sqs import BODY, NotDeleted, SqsQueue


def message(number: int, group: str = "", size: int = 0) -> Record:
    """Message `number`; its body is the number, filled up to `size` characters."""
    body = str(number).rjust(size)
    return Record(
        event_id=f"id {number}", body=body, partition_key=group, receipt=f"receipt {number}"
    )


class FakeQueue:
    """Messages in their order; what was received stays hidden until `expire` is called.

    `troubles` are raised one after the other, one by each receive, and `refusing` is how many
    deletions the queue is still to refuse.
    """

    def __init__(self, ordered: bool = False, timeout: int = 30) -> None:
        self.ordered = ordered
        self.timeout = timeout
        self.troubles: list[Exception] = []
        self.refusing = 0
        self.receiving = 0
        self.counts: list[int] = []
        self.waits: list[int] = []
        self.visibilities: list[int | None] = []
        self._changed = threading.Condition()
        self._visible: list[Record] = []
        self._hidden: dict[str, Record] = {}
        self._receipts = itertools.count()
        self._ended = False
        self.connected = True

    def as_queue(self) -> SqsQueue:
        return cast(SqsQueue, self)

    def send(self, *words: str, group: str = "") -> None:
        with self._changed:
            self._visible += [
                Record(word, body=word, partition_key=group, members={"body": word}, payload=BODY)
                for word in words
            ]
            self._changed.notify_all()

    def expire(self) -> None:
        """The visibility timeout of all that is hidden is over."""
        with self._changed:
            self._visible = [*self._hidden.values(), *self._visible]
            self._hidden = {}
            self._changed.notify_all()

    def end_receives(self) -> None:
        """End the receives that are waiting, and let no other wait."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def visible(self) -> list[str]:
        with self._changed:
            return [record.body for record in self._visible]

    @property
    def hidden(self) -> list[str]:
        with self._changed:
            return [record.body for record in self._hidden.values()]

    def visibility_timeout(self) -> int:
        return self.timeout

    def receive(self, count: int, wait: int, visibility: int | None = None) -> list[Record]:
        with self._changed:
            self.counts.append(count)
            self.waits.append(wait)
            self.visibilities.append(visibility)
            if self.troubles:
                raise self.troubles.pop(0)
            self.receiving += 1
            self._changed.wait_for(lambda: self._ended or self._free(), wait)
            self.receiving -= 1
            found = self._free()[:count]
            self._visible = [record for record in self._visible if record not in found]
            received = [replace(r, receipt=f"receipt {next(self._receipts)}") for r in found]
            self._hidden |= {record.receipt: record for record in received}
            return received

    def delete(self, records: Sequence[Record]) -> list[NotDeleted]:
        with self._changed:
            if self.refusing:
                self.refusing -= 1
                return [NotDeleted(records[0], "InternalError"), *self._delete(records[1:])]
            return self._delete(records)

    def close(self) -> None:
        self.connected = False

    def _free(self) -> list[Record]:
        if not self.ordered:
            return self._visible
        locked = {record.partition_key for record in self._hidden.values()}
        return [record for record in self._visible if record.partition_key not in locked]

    def _delete(self, records: Sequence[Record]) -> list[NotDeleted]:
        gone = [record for record in records if self._hidden.pop(record.receipt, None) is None]
        self._changed.notify_all()
        return [NotDeleted(record, "ReceiptHandleIsInvalid", expired=True) for record in gone]


class FakeExecutor:
    """Takes everything and writes it down in order; `outcome` may decide otherwise."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.outcome: Callable[[list[str]], Outcome] = lambda words: SUCCEEDED

    @property
    def delivered(self) -> list[str]:
        return [word for batch in self.batches for word in batch]

    def execute(self, records: Sequence[Record]) -> Outcome:
        words = [record.body for record in records]
        self.batches.append(words)
        return self.outcome(words)
