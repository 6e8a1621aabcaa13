"""Events that are sent to a pipeline, followed to their outcomes, and checked in the table."""

from __future__ import annotations

import time
from collections.abc import Iterator

from inventory.stock import Row
from inventory_aws.sender import Accepted, Sender
from inventory_cli.context import Pause
from operations import table
from operations.access import Access
from operations.expectation import Expectation, expect
from operations.function_log import POLL_SECONDS, STUCK_SECONDS, FunctionLog, HandlingTimes
from operations.numbers import counted
from operations.queue import RejectedQueue
from operations.verify.gather import differences


class CheckedRun:
    """The events that `sender` sends, and what should come of them.

    Other producers may send events meanwhile. `problems` judges the products of its own events.
    Whatever `pause` raises ends the run.
    """

    def __init__(self, pipeline: Access, pause: Pause) -> None:
        clients, names = pipeline.clients, pipeline.names
        self._pipeline = pipeline
        self.pause = pause
        self.accepted: list[Accepted] = []
        self.times = HandlingTimes()
        self._rejected = RejectedQueue(clients.sqs, names.rejected_queue)
        self._rows_before = self.rows()
        self._removals = table.read_removals(clients.dynamodb, names.removals_table)
        self.log = FunctionLog(
            clients.logs, names.function, since=time.time(), on_batch=self.times.add
        )
        self.sender = Sender(
            clients.kinesis,
            names.stream,
            on_accepted=self.accepted.append,
            clock=time.time,  # compared with the function's
            wait=pause,
        )

    def rows(self) -> dict[str, Row]:
        return table.read(self._pipeline.clients.dynamodb, self._pipeline.names.table)

    def own_rows(self) -> dict[str, Row]:
        """Return the rows of the products of its events."""
        return table.of(self._products(), self.rows())

    def expected(self) -> Expectation:
        records = [
            (int(a.sequence_number), a.event.partition_key, a.event.payload) for a in self.accepted
        ]
        return expect(self._rows_before, records, self._pipeline.policy, self._removals)

    def problems(self) -> list[str]:
        """Return what is wrong, now that each event should have an outcome: a line for each."""
        pipeline, own = self._pipeline, self._products()
        rows = self.own_rows()
        handled = self.log.poll().handled  # after the rows, so that it has all events in them
        if handled > len(self.accepted):  # another producer sends events too
            return differences(pipeline.clients, pipeline.names, pipeline.policy, own, self.pause)
        expected = self.expected()
        changes = table.changes(table.of(own, expected.rows), rows)
        return [*self._missing(expected, handled), *changes]

    def _products(self) -> set[str]:
        return {accepted.event.partition_key for accepted in self.accepted}

    def _missing(self, expected: Expectation, handled: int) -> Iterator[str]:
        """Return what has not arrived. The rejected queue may lag behind the function."""
        deadline = time.monotonic() + STUCK_SECONDS
        while not expected.rejected <= self._rejected.poll() and time.monotonic() < deadline:
            self.pause(POLL_SECONDS)
        if (left := len(self.accepted) - handled) > 0:
            yield f"{counted(left, 'event')} without an outcome"
        if left := len(expected.rejected - self._rejected.sequence_numbers):
            yield f"{counted(left, 'rejected event')} not in the rejected queue"
