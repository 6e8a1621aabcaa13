"""What a stack holds, written down: whole states, of which the link `saved` leads to the newest.

A new one is made beside the last, and counts once the link leads to it. Whatever ends a process
meanwhile, the next start finds one whole state: of MiniStack, and of the Pipes service as it was
just before, so that records are handled once more at worst.
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
    """Where MiniStack's part of a state is."""
    return state / "ministack"


def pipes_folder(folder: Path) -> Path:
    """Where the Pipes service of the stack in `folder` keeps its state while it runs."""
    return folder / "pipes"


def newest(folder: Path) -> Path:
    """The newest state of the stack in `folder`; it is empty when there was none."""
    link = folder / LINK
    if not link.is_symlink():
        first = folder / f"{LINK}.0"
        private.make_folder(emulator_part(first))
        _lead_to(first)
    return link


def time_of_newest(folder: Path) -> str | None:
    """When it was written (local time, such as 2026-11-29 14:03:59), or None if there is none."""
    link = newest(folder)
    if link.readlink().suffix == ".0":
        return None
    return f"{datetime.fromtimestamp(link.lstat().st_mtime):%Y-%m-%d %H:%M:%S}"


def size(folder: Path) -> int:
    """Of the newest state, in bytes."""
    return sum(file.stat().st_size for file in newest(folder).glob("**/*") if file.is_file())


def restore_pipes(folder: Path) -> None:
    """Let the Pipes service, which does not run, begin with what the newest state says."""
    for file in pipes_folder(folder).glob(f"{PIPES_FILE}*"):
        file.unlink()
    with suppress(FileNotFoundError):
        pipes_folder(folder).mkdir(mode=0o700, exist_ok=True)
        shutil.copy(newest(folder) / PIPES_FILE, pipes_folder(folder))


def copy_pipes(folder: Path) -> Path | None:
    """A copy of what the Pipes service has written down so far; None if it has nothing yet."""
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
    """A copy of the newest state, to be changed by replacing files, never by writing into them.

    It becomes the newest when the block ends, with `pipes` in it; not if the block raises.
    """
    last = folder / newest(folder).readlink()
    new = folder / f"{LINK}.{int(last.suffix[1:]) + 1}"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(last, new, copy_function=_link)
    yield new
    if pipes:
        pipes.replace(new / PIPES_FILE)
    for path in (*new.rglob("*"), new):
        _onto_disk(path)
    _lead_to(new)
    _onto_disk(folder)
    for other in folder.glob(f"{LINK}.*"):
        if other.name != new.name:
            shutil.rmtree(other, ignore_errors=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # not every file system can
        shutil.copy2(source, target)


def _onto_disk(path: Path) -> None:
    """What is in it is there after a power cut, too."""
    number = os.open(path, os.O_RDONLY)
    os.fsync(number)
    os.close(number)


def _lead_to(state: Path) -> None:
    link = state.parent / f"{LINK}.link"
    link.unlink(missing_ok=True)
    link.symlink_to(state.name)
    link.replace(state.parent / LINK)
