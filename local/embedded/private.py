"""Folders and files that only their owner may read: events are in them, and keys of a stack."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

UMASK = 0o077


def make_folder(path: Path) -> None:
    """Make it, with those above it that are not there."""
    for each in reversed([path, *path.parents]):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


def opened(path: Path, mode: str, buffering: int = -1) -> IO[Any]:
    return open(path, mode, buffering, opener=lambda name, flags: os.open(name, flags, 0o600))


def write(path: Path, text: str) -> None:
    """Replace the file by one with this text: it is never half there."""
    new = path.with_name(f"{path.name}.new")
    with opened(new, "w") as file:
        file.write(text)
    new.replace(path)
