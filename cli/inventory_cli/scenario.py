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
from inventory_cli import table
from inventory_cli.aws import Clients
from inventory_cli.expectation import expect
from inventory_cli.function_log import FunctionLog, await_outcomes
from producer import jsonlines
from producer.event import Event
from producer.outbox import ONE_BY_ONE
from producer.sender import Accepted, Sender
from provisioner import Names

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
    """Puts events on the stream, and reads the table when they have their outcomes."""

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
            limits=ONE_BY_ONE,
        )
        self._first = self.rows()

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
        before = self._log.progress.outcomes.copy()
        self.send([event])
        new = self._log.progress.outcomes - before
        outcome = next(outcome for outcome in new if outcome is not Outcome.FAILED)
        return Operation(event, outcome, self.rows())

    def problems(self) -> list[str]:
        """How the table differs from the fold of all that was sent onto what was there first."""
        records = [
            (int(a.sequence_number), a.event.partition_key, a.event.payload) for a in self._accepted
        ]
        expected = expect(self._first, records, self._policy)
        return list(table.changes(expected.rows, self.rows()))


def documented(name: str) -> list[Event]:
    """The events of a file in `data`: `documented-table` or `documented-operations`."""
    data = files("inventory_cli").joinpath("data", f"{name}.jsonl").read_bytes()
    return from_lines(name, data)


def from_lines(name: str, data: bytes) -> list[Event]:
    """The events of a JSON-lines file. Raises producer.errors.CannotStartError."""
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
