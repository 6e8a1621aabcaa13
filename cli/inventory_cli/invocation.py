"""The commands that messages tell the reader to type, spelled the way this process was called."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import click

CALLED_BY = "INVENTORY_CALLED_BY"
"""The variable that the Makefile sets to `make`, and docker-compose.yml to what runs its `cli`."""

DEFAULT_STATE = Path(".inventory")


def typed(command: str, options: str = "") -> str:
    """Return what to type for a command of ours: `make table`, or `.venv/bin/inventory table`.

    It repeats the target and the state folder unless they are the default ones.
    """
    context = click.get_current_context(silent=True)
    state = context.find_root().params.get("state") if context else None
    state = None if state in (None, DEFAULT_STATE) else shlex.quote(str(state))
    target = os.environ.get("TARGET", "")
    target = "" if target == "embedded" else target
    if caller := _other_caller():  # it chooses the target itself
        words = [caller, command, options]
    elif called_by_make():
        words = [
            f"make {command}",
            f'ARGS="{options}"' if options else "",
            f"TARGET={target}" if target else "",
            f"INVENTORY_STATE={state}" if state else "",
        ]
    else:
        words = [
            f"TARGET={target}" if target else "",
            _program(sys.argv[0]),
            f"--state {state}" if state else "",
            command,
            options,
        ]
    return " ".join(filter(None, words))


def called_by_make() -> bool:
    return os.environ.get(CALLED_BY) == "make"


def _other_caller() -> str | None:
    caller = os.environ.get(CALLED_BY, "")
    return caller if caller != "make" else None


def create_missing() -> str:
    """Return the hint where a resource does not exist."""
    return f"To create what is missing, run `{typed('deploy')}`."


def _program(called: str) -> str:
    """Return the program as it was typed, or its name if the shell finds it by that."""
    found = shutil.which("inventory")
    on_path = found is not None and Path(found).resolve() == Path(called).resolve()
    if on_path or Path(called).name != "inventory":  # the latter: python -m
        return "inventory"
    return called
