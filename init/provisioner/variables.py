"""Settings that are read from environment variables, each checked on its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from provisioner.errors import SettingsError

# A parser raises ValueError saying what the value must be.
Parse: TypeAlias = Callable[[str], object]
Variables: TypeAlias = Mapping[str, tuple[str, Parse]]


def read(variables: Variables, environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that `environ` has, by field; a variable that is unset or empty is left out.

    `variables` has the name of the variable and the parser for each field. Raises SettingsError,
    with a line for each variable that is wrong.
    """
    values: dict[str, Any] = {}
    problems = []
    for field, (name, parse) in variables.items():
        if text := environ.get(name):
            try:
                values[field] = parse(text)
            except ValueError as error:
                problems.append(f"{name} {error} (it is {text!r})")
    if problems:
        raise SettingsError("\n".join(problems))
    return values


def matching(pattern: str, meaning: str) -> Parse:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"must be {meaning}")
        return text

    return parse


def between(low: int, high: int) -> Parse:
    def parse(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def or_off(parse: Parse) -> Parse:
    """None for "off"."""

    def parse_unless_off(text: str) -> object:
        if text == "off":
            return None
        try:
            return parse(text)
        except ValueError as error:
            raise ValueError(f"{error}, or off") from None

    return parse_unless_off


def on_or_off(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError("must be on or off")
    return text == "on"


def one_of(*choices: str | int) -> Parse:
    def parse(text: str) -> str | int:
        for choice in choices:
            if text == str(choice):
                return choice
        raise ValueError(f"must be one of {', '.join(map(str, choices))}")

    return parse
