"""The saved states of a stack. The link `saved` points to the newest.

A new state is written beside the last one, and counts once the link points to it. Whatever ends a
process meanwhile, the next start finds one whole state: of MiniStack, and of the Pipes service as
it was just before. So at worst records are handled twice.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from embedded import private

LINK = "saved"
PIPES_FILE = "pipes.sqlite"
"""What the Pipes service calls it. The dashboard's image has this module, and not that package."""


def emulator_part(state: Path) -> Path:
    """Return the folder of MiniStack in a state."""
    return state / "ministack"


def pipes_folder(folder: Path) -> Path:
    """Return the folder that the Pipes service of the stack in `folder` works in."""
    return folder / "pipes"


def newest(folder: Path) -> Path:
    """Return the newest state of the stack in `folder`. The first one is empty."""
    link = folder / LINK
    if not link.is_symlink():
        first = folder / f"{LINK}.0"
        private.make_folder(emulator_part(first))
        _link_to(first)
    return link


def time_of_newest(folder: Path) -> str | None:
    """Return when it was written, in local time. None if nothing was saved yet."""
    link = newest(folder)
    if link.readlink().suffix == ".0":
        return None
    return f"{datetime.fromtimestamp(link.lstat().st_mtime):%Y-%m-%d %H:%M:%S}"


def restore_pipes(folder: Path) -> None:
    """Give the Pipes service its part of the newest state. It must not run."""
    for file in pipes_folder(folder).glob(f"{PIPES_FILE}*"):
        file.unlink()
    with suppress(FileNotFoundError):
        pipes_folder(folder).mkdir(mode=0o700, exist_ok=True)
        shutil.copy(newest(folder) / PIPES_FILE, pipes_folder(folder))


def copy_pipes(folder: Path) -> Path | None:
    """Copy the database of the running Pipes service. Return None if it has none yet."""
    running = pipes_folder(folder) / PIPES_FILE
    copy = folder / f"{PIPES_FILE}.copy"
    copy.unlink(missing_ok=True)
    if not running.exists():
        return None
    with closing(sqlite3.connect(running)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


@contextmanager
def new_state(folder: Path, pipes: Path | None) -> Iterator[Path]:
    """An empty state, which becomes the newest when the block ends, with `pipes` in it.

    If the block raises, the last state stays the newest.
    """
    new = folder / f"{LINK}.{int(newest(folder).readlink().suffix[1:]) + 1}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    emulator_part(new).mkdir()
    yield new
    if pipes:
        pipes.replace(new / PIPES_FILE)
    for path in (*new.rglob("*"), new):
        _onto_disk(path)
    _link_to(new)
    _onto_disk(folder)
    for other in folder.glob(f"{LINK}.*"):
        if other.name != new.name:
            shutil.rmtree(other, ignore_errors=True)


def _onto_disk(path: Path) -> None:
    """Write what is in it to the disk, so that it is there after a power cut."""
    number = os.open(path, os.O_RDONLY)
    os.fsync(number)
    os.close(number)


def _link_to(state: Path) -> None:
    link = state.parent / f"{LINK}.link"
    link.unlink(missing_ok=True)
    link.symlink_to(state.name)
    link.replace(state.parent / LINK)
