"""From the table's stream to the log."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from inventory_cli.audit.entry import entry_of
from inventory_cli.audit.log import BusyError, LogWriter
from operations.table_stream import TableFollower, table_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient


class OtherTableError(Exception):
    """The log is that of another table."""


class Recorder:
    """Writes what is new on the table's stream to the log, going on where the log ends.

    A log has one recorder at a time. While another program has it, this one does nothing, and
    takes over when that has ended. `table` is the table's ARN; `note` hears, in words, of such
    things, and of what can no longer be read.
    """

    def __init__(
        self,
        client: DynamoDBStreamsClient,
        table: str,
        log: Path,
        note: Callable[[str], object],
    ) -> None:
        self._client = client
        self._table = table
        self._path = log
        self._note = note
        self._held = ExitStack()
        self._log: LogWriter | None = None
        self._follower: TableFollower | None = None
        self._is_waiting = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._held.close()

    @property
    def at_end(self) -> bool:
        """Whether there is nothing for it to write at this moment."""
        return self._is_waiting or (self._follower is not None and self._follower.at_end)

    def look(self) -> bool:
        """Write what one look at the stream gives; whether it gave anything.

        Raises NoStreamError, OtherTableError, BrokenLogError, and OSError for the file.
        """
        if self._follower is None:
            self._take()
        if self._follower is None or self._log is None:
            return False
        records = self._follower.look()
        if records:
            products = self._log.contents.products
            self._log.append(entry_of(record, products) for record in records)
        return bool(records)

    def _take(self) -> None:
        try:
            log = self._held.enter_context(LogWriter(self._path))
        except BusyError as error:
            if not self._is_waiting:
                self._note(f"{error}. This run shows the log without new changes.")
            self._is_waiting = True
            return
        known = log.contents
        if known.current is not None and table_of(known.current) != self._table:
            raise OtherTableError(
                f"{self._path} is the log of {table_of(known.current)}, not of {self._table}. "
                "Choose another file with --log."
            )
        self._follower = TableFollower(
            self._client,
            self._table.rpartition("/")[2],
            current=known.current,
            places={stream: dict(shards) for stream, shards in known.places.items()},
            note=self._note,
        )
        self._log, self._is_waiting = log, False
