"""The file of the audit log: it is its own place.

Each line says where on the stream it is from, so what was written is what was read, whenever the
program is killed: a line that is torn is cut, and what follows the last whole one is read again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from embedded import private
from inventory_cli.audit.entry import Entry, line, parse
from inventory_cli.audit.images import Image


class BusyError(Exception):
    """Another program writes this log."""


class BrokenLogError(Exception):
    """The file holds something that is no entry; the message names file and line."""


@dataclass
class Contents:
    """What the log comes to: how far each shard was read, and how each product was left."""

    current: str | None = None
    places: dict[str, dict[str, str]] = field(default_factory=dict)
    products: dict[str, Image | None] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        place = entry.place
        self.current = place.stream
        self.places.setdefault(place.stream, {})[place.shard] = place.sequence_number
        self.products[entry.product_id] = entry.after


class LogReader:
    """The entries of a log that may be growing. A line counts when its end is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._lines = 0

    @property
    def end(self) -> int:
        """The bytes of the whole lines read so far."""
        return self._read

    def new(self) -> Iterator[tuple[Entry, str]]:
        """Those that were not given before, each with its line. Raises BrokenLogError."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                self._lines += 1
                try:
                    entry, text = parse(raw), raw.decode().rstrip("\n")
                except ValueError:
                    raise BrokenLogError(
                        f"Line {self._lines} of {self._path} is not an entry of an audit log. "
                        "Repair it, or choose another file with --log."
                    ) from None
                self._read += len(raw)
                yield entry, text


class LogWriter:
    """The log, held for this process alone until it is left or the process ends, however it does.

    `contents` is what it holds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.contents = Contents()

    def __enter__(self) -> Self:
        """Raises BusyError, BrokenLogError or OSError."""
        private.make_folder(self._path.parent)
        with ExitStack() as undo:
            self._file: IO[bytes] = undo.enter_context(private.opened(self._path, "ab", 0))
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(f"Another program is writing {self._path}") from None
            reader = LogReader(self._path)
            for entry, _ in reader.new():
                self.contents.add(entry)
            self._file.truncate(reader.end)
            self._cleanup = undo.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._cleanup.close()

    def append(self, entries: Iterable[Entry]) -> None:
        """Write them, and return when they are on the disk. Raises OSError.

        They may be made while they are taken: `contents` then has all of those before.
        """
        lines = []
        for entry in entries:
            self.contents.add(entry)
            lines.append(f"{line(entry)}\n")
        left = memoryview("".join(lines).encode())
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error
