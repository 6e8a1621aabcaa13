"""The file of the audit log: recording and reading it.

Each line has its position on the stream. If the program is killed, the next one cuts a half-written
line, and continues after the position in the last whole one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from embedded import private
from inventory_cli.audit.entry import AuditEntry, Image, entry_of
from operations.table_stream.follower import TableFollower

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient


class LogError(Exception):
    """The file is not the audit log of this table; the message names it."""


class LogReader:
    """Reads the entries of a log that may be growing. A line counts once its end is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = 0
        self.bytes_read = 0

    def new(self) -> Iterator[AuditEntry]:
        """Return the entries that were not returned before. Raises LogError."""
        with self._path.open("rb") as file:
            file.seek(self.bytes_read)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._lines += 1
                try:
                    entry = AuditEntry(**json.loads(line))
                except (ValueError, TypeError):
                    raise LogError(
                        f"Line {self._lines} of {self._path} is not an entry of an audit log. "
                        "Repair it, or choose another file with --log."
                    ) from None
                self.bytes_read += len(line)
                yield entry


def record(
    client: DynamoDBStreamsClient, table: str, path: Path, note: Callable[[str], object]
) -> Generator[bool, None, None]:
    """Append the changes of a table to its log, from where the log ends.

    Yield after each look at the table's stream: whether its end is reached. One process at a time
    writes a log; others wait here for it to end. `table` is the table's ARN, and `note` gets
    messages for the user. Raises NoStreamError, LogError, and OSError for the file.
    """
    private.make_folder(path.parent)
    with private.opened(path, "ab", 0) as file:
        if not _locked(file):
            note(f"Another program is writing {path}. This run shows the log without new changes.")
            yield True
            while not _locked(file):
                yield True
        reader, stream = LogReader(path), f"{table}/stream/"
        places: dict[str, dict[str, str]] = defaultdict(dict)
        rows: dict[str, Image | None] = {}
        for entry in reader.new():
            stream = entry.stream
            places[stream][entry.shard] = entry.sequence_number
            rows[entry.product_id] = entry.after
        if not stream.startswith(f"{table}/stream/"):
            of = stream.partition("/stream/")[0]
            raise LogError(
                f"{path} is the log of {of}, not of {table}. Choose another file with --log."
            )
        file.truncate(reader.bytes_read)
        follower = TableFollower(
            client,
            table.rpartition("/")[2],
            current=stream if places else None,
            places=places,
            note=note,
        )
        while True:
            lines = []
            for change in follower.look():
                entry = entry_of(change, rows)
                rows[entry.product_id] = entry.after
                lines.append(f"{entry.line()}\n")
            _append(path, file, "".join(lines).encode())
            yield not lines and follower.at_end


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _append(path: Path, file: IO[bytes], data: bytes) -> None:
    """Return when the data is on the disk."""
    try:
        while data:
            data = data[file.write(data) :]
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
