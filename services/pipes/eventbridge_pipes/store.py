"""What outlives the process: pipes, where each reads from, and how far each shard got (SQLite).

A pipe is known by its ARN.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.record import Position

FILE_NAME = "pipes.sqlite"
"""Another process may read it, and copy it with SQLite's backup."""
LOCK_NAME = "lock.sqlite"
"""Nothing is in it; who has it locked has the directory."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS pipes (arn TEXT PRIMARY KEY, definition TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS origins (
    arn TEXT PRIMARY KEY, stream_created REAL NOT NULL, position TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoints (
    arn TEXT NOT NULL, shard TEXT NOT NULL, sequence_number TEXT, finished INTEGER NOT NULL,
    PRIMARY KEY (arn, shard)) WITHOUT ROWID;
"""


class StateDirectoryError(Exception):
    """The state directory cannot be used; the message says why and what to do."""


class StateError(Exception):
    """The state cannot be read or written for now; the message says why, in SQLite's words."""


@dataclass(frozen=True)
class Origin:
    """Where a pipe began: the stream's time of creation (epoch seconds) and the position in it."""

    stream_created: float
    position: Position


@dataclass(frozen=True)
class Checkpoint:
    """The last record of a shard that is done with, and whether the shard is read to its end."""

    sequence_number: str | None
    finished: bool


class Store:
    """One SQLite file that one service at a time may have open. Safe to share between threads.

    Every method raises StateError when the file cannot be read or written.
    """

    def __init__(self, directory: Path | None) -> None:
        """None keeps it all in memory, for as long as the store is open.

        Raises StateDirectoryError when it cannot be written, or another service has it.
        """
        self._lock = threading.RLock()
        with ExitStack() as opened:
            try:
                if directory:
                    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                    # Keeps a second service off the same positions; it ends with the process.
                    lock = opened.enter_context(_connection(directory / LOCK_NAME, timeout=0))
                    lock.execute("BEGIN EXCLUSIVE")
                path = directory / FILE_NAME if directory else ":memory:"
                self._db = opened.enter_context(_connection(path))
                self._db.execute("PRAGMA journal_mode = WAL")
                # A commit survives kill -9. A power cut may cost the last ones: those batches come
                # again, which at-least-once allows.
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.executescript(SCHEMA)
                self._db.execute("SELECT arn FROM pipes")
            except (OSError, sqlite3.Error) as error:
                raise StateDirectoryError(_explain(directory, error)) from error
            self._opened = opened.pop_all()

    def close(self) -> None:
        with self._lock:
            self._opened.close()

    def pipes(self) -> list[Pipe]:
        """All pipes: those of an account and a Region one after the other, by name."""
        rows = self._query("SELECT definition FROM pipes ORDER BY arn")
        return [Pipe.from_json(definition) for (definition,) in rows]

    def pipe(self, arn: str) -> Pipe | None:
        rows = self._query("SELECT definition FROM pipes WHERE arn = ?", arn)
        return Pipe.from_json(rows[0][0]) if rows else None

    def save(self, pipe: Pipe) -> None:
        self._query("INSERT OR REPLACE INTO pipes VALUES (?, ?)", pipe.arn, pipe.to_json())

    def change(self, arn: str, **members: Any) -> None:
        """Replace some members of a pipe, whatever others were replaced since it was read."""
        with self._lock:
            pipe = self.pipe(arn)
            if pipe:
                self.save(replace(pipe, **members))

    def complete(self, arn: str, current: State, reason: str) -> None:
        """The pipe is in the state `current` now, and its update, if there is one, takes effect."""
        with self._lock:
            pipe = self.pipe(arn)
            if pipe:
                self.save(replace(pipe.updated, current=current, reason=reason))

    def delete(self, arn: str) -> None:
        """Forget the pipe and how far it got.

        The pipe itself goes last: as long as it is there, the service deletes it again.
        """
        self._query("DELETE FROM checkpoints WHERE arn = ?", arn)
        self._query("DELETE FROM origins WHERE arn = ?", arn)
        self._query("DELETE FROM pipes WHERE arn = ?", arn)

    def origin(self, arn: str) -> Origin | None:
        rows = self._query("SELECT stream_created, position FROM origins WHERE arn = ?", arn)
        if not rows:
            return None
        created, position = rows[0]
        return Origin(created, Position(**json.loads(position)))

    def set_origin(self, arn: str, origin: Origin) -> None:
        """Set where the pipe begins, and forget how far it got in a stream that it read before.

        If the process ends between the two, the pipe has no origin or that of the stream before,
        and the next process begins again.
        """
        position = json.dumps(asdict(origin.position))
        self._query("DELETE FROM checkpoints WHERE arn = ?", arn)
        self._query(
            "INSERT OR REPLACE INTO origins VALUES (?, ?, ?)", arn, origin.stream_created, position
        )

    def checkpoints(self, arn: str) -> dict[str, Checkpoint]:
        """By shard id."""
        rows = self._query(
            "SELECT shard, sequence_number, finished FROM checkpoints WHERE arn = ?", arn
        )
        return {shard: Checkpoint(number, bool(finished)) for shard, number, finished in rows}

    def advance(self, arn: str, shard: str, sequence_number: str) -> None:
        """Every record of the shard up to `sequence_number` is done with."""
        self._query(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, 0)", arn, shard, sequence_number
        )

    def finish(self, arn: str, shard: str) -> None:
        """The shard is closed, and done with to its end."""
        self._query(
            "INSERT INTO checkpoints VALUES (?, ?, NULL, 1)"
            " ON CONFLICT (arn, shard) DO UPDATE SET finished = 1",
            arn,
            shard,
        )

    def forget(self, arn: str, shard: str) -> None:
        """The shard is to be read from the pipe's beginning again."""
        self._query("DELETE FROM checkpoints WHERE arn = ? AND shard = ?", arn, shard)

    def keep_only(self, arn: str, shards: Collection[str]) -> None:
        """Delete the checkpoints of all other shards, which nothing will read again.

        `shards` are the shards that the stream lists, and those that are still being read.
        """
        for shard in self.checkpoints(arn).keys() - set(shards):
            self.forget(arn, shard)

    def _query(self, statement: str, *values: str | float) -> list[Any]:
        with self._lock:
            try:
                return self._db.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise StateError(str(error)) from error


def _connection(path: Path | str, timeout: float = 5.0) -> closing[sqlite3.Connection]:
    """A connection that commits each statement, and waits `timeout` seconds for a lock."""
    return closing(
        sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    )


def _explain(directory: Path | None, error: Exception) -> str:
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return f"another service is using the state directory {directory}: stop it, or name another"
    if "no such column" in str(error):
        return f"the state in {directory} is of an earlier version: delete it, or name another"
    reason = getattr(error, "strerror", None) or str(error)
    return f"cannot keep state in {directory} ({reason}): name a writable directory with --state"
