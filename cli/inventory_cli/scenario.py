"""A documented scenario: events one at a time, with the table before and after each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from inventory.items import item_of
from inventory.stock import Outcome, RemovalNamePolicy, Row
from inventory_aws.clients import Clients
from inventory_aws.event import Event
from inventory_aws.names import Names
from inventory_aws.sender import Accepted, Sender
from operations import table
from operations.expectation import Expectation, expect
from operations.function_log import FunctionLog, await_outcomes
from operations.verify.gather import differences
from producer import jsonlines

RULE = "-" * 34
DOCUMENTED_ORDER = ("quantity", "product_name", "product_id", "timestamp")


class StuckError(Exception):
    """An event got no outcome in time; the message names it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An event, what became of it, and the table after it."""

    event: Event
    outcome: Outcome
    after: Mapping[str, Row]


class Player:
    """Puts events on the stream, and reads the table when they have their outcomes.

    Other producers may send events meanwhile: it judges the products of its own events.
    """

    def __init__(
        self,
        clients: Clients,
        names: Names,
        policy: RemovalNamePolicy,
        pause: Callable[[float], object],
    ) -> None:
        self._clients = clients
        self._names = names
        self._policy = policy
        self._pause = pause
        self._accepted: list[Accepted] = []
        self._log = FunctionLog(clients.logs, names.function, since=time.time())
        self._sender = Sender(
            clients.kinesis,
            names.stream,
            on_accepted=self._accepted.append,
            clock=time.monotonic,
            wait=pause,
        )
        self._first = self.rows()
        self._removals = table.read_removals(clients.dynamodb, names.removals_table)

    def rows(self) -> Mapping[str, Row]:
        return table.read(self._clients.dynamodb, self._names.table)

    def send(self, events: Sequence[Event]) -> None:
        """Send them, and wait until each has its outcome. Raises StuckError."""
        self._sender.send(events)
        progress = await_outcomes(self._accepted, self._log.poll, self._pause)
        if progress.handled < len(self._accepted):
            raise StuckError(f"No outcome in time for {shown(events[-1])}")

    def play(self, event: Event) -> Operation:
        """Send one event alone. Raises StuckError."""
        before, expected_before = self._log.progress.outcomes.copy(), self._expected().outcomes
        self.send([event])
        new = self._log.progress.outcomes - before
        # Events of other producers may be among them.
        expected = self._expected().outcomes - expected_before
        outcome = next(o for o in (*expected, *new) if new[o] and o is not Outcome.FAILED)
        return Operation(event, outcome, self.rows())

    def _expected(self) -> Expectation:
        records = [
            (int(a.sequence_number), a.event.partition_key, a.event.payload) for a in self._accepted
        ]
        return expect(self._first, records, self._policy, self._removals)

    def problems(self) -> list[str]:
        """How the rows of the products differ from what the events should produce."""
        own = {accepted.event.partition_key for accepted in self._accepted}
        if self._log.poll().handled > len(self._accepted):  # another producer sends events too
            return differences(self._clients, self._names, self._policy, own, self._pause)
        expected = table.of(own, self._expected().rows)
        return list(table.changes(expected, table.of(own, self.rows())))


def documented(name: str) -> list[Event]:
    """The events of a file in `data`: `documented-table` or `documented-operations`."""
    data = files("inventory_cli").joinpath("data", f"{name}.jsonl").read_bytes()
    return from_lines(name, data)


def from_lines(name: str, data: bytes) -> list[Event]:
    """The events of a JSON-lines file. Raises producer.usage.RefusedError."""
    return list(jsonlines.events(name, data.split(b"\n"), send_broken=False))


def status_file(before: Mapping[str, Row], operations: Sequence[Operation]) -> Iterator[str]:
    """The lines of `DynamodbTableStatus.txt`: the table, then each event and the table after it."""
    yield from table_status("before", before)
    for operation in operations:
        yield ""
        yield f"Operation/Event --------> {shown(operation.event)}"
        yield ""
        yield from table_status("after", operation.after)


def shown(event: Event) -> str:
    """The event on one line, in ASCII."""
    return json.dumps(json.loads(event.payload))


def table_status(when: str, rows: Mapping[str, Row]) -> Iterator[str]:
    """The table as `DynamodbTableStatus.txt` shows it, `when`: "before" or "after"."""
    yield f"Dynamodb Status {when} Operation...."
    yield RULE
    for row in rows.values():
        item: dict[str, Any] = item_of(row)
        yield json.dumps({attribute: item[attribute] for attribute in DOCUMENTED_ORDER})
    yield RULE
