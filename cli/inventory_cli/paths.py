"""Where things are in the state folder."""

from __future__ import annotations

from pathlib import Path


def embedded(state: Path) -> Path:
    """The folder of the stack that `inventory up` runs."""
    return state / "embedded"
