"""Ports that variables choose."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_aws.errors import SettingsError

HIGHEST = 65_535


def chosen(environ: Mapping[str, str], *variables: str, lowest: int = 1) -> dict[str, int]:
    """The ports of those variables that are set. Raises SettingsError, with a line for each that
    is wrong."""
    found = {}
    problems = []
    for name in variables:
        if text := environ.get(name):
            if text.isascii() and text.isdigit() and lowest <= int(text) <= HIGHEST:
                found[name] = int(text)
            else:
                problems.append(
                    f"{name} must be a whole number from {lowest} to {HIGHEST} (it is {text!r})"
                )
    if problems:
        raise SettingsError("\n".join(problems))
    return found
