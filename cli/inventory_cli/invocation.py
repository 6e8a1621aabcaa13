"""The commands that messages tell the reader to type, spelled as this program was started."""

from __future__ import annotations

import os

CALLED_BY = "INVENTORY_CALLED_BY"
"""The Makefile sets this variable to `make`, docker-compose.yml to what runs its service `cli`."""


def called_by_make() -> bool:
    return os.environ.get(CALLED_BY) == "make"


def typed(command: str, options: str = "") -> str:
    """Return what to type for a command of ours: `inventory table`, or `make table`.

    With make, a target other than the default one is repeated: it may be of one command line only.
    """
    if called_by_make():
        target = os.environ.get("TARGET") or "embedded"
        words = [
            f"make {command}",
            f'ARGS="{options}"' if options else "",
            "" if target == "embedded" else f"TARGET={target}",
        ]
    else:
        words = [os.environ.get(CALLED_BY) or "inventory", command, options]
    return " ".join(filter(None, words))


def create_missing() -> str:
    """Return the hint where a resource does not exist."""
    return f"To create what is missing, run `{typed('deploy')}`."
