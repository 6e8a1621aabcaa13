"""The text of an input template: where its placeholders stand, and whether it is JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple


class TemplateError(ValueError):
    """The template is refused; the text says why, and names the line and the column."""


class Place(Enum):
    """Where a placeholder stands: outside or inside the quotes of JSON, or in free text."""

    VALUE = auto()
    STRING = auto()
    TEXT = auto()


class Placeholder(NamedTuple):
    """`<name>`, from the character `start` of the template up to `end`."""

    name: str
    start: int
    end: int


class Syntax(NamedTuple):
    """The placeholders in their order, the place of each, and whether the template is JSON."""

    placeholders: list[Placeholder]
    places: list[Place]
    is_json: bool


def analyse(text: str) -> Syntax:
    """Raises TemplateError.

    A template is JSON when it is JSON with some value in place of each placeholder; else it is
    free text, unless it begins as an object does. A path that is all of the template is free text
    too: `<$.body>` brings the plain text of a message without quotes around it (as an integration
    test of AWS's CDK, aws-pipes-alpha, shows).
    """
    placeholders = list(_placeholders(text))
    quoted = _quoted(text, placeholders)
    is_json = _is_json(text, placeholders, quoted) and not _is_lone_path(text, placeholders)
    if is_json:
        places = [Place.STRING if inside else Place.VALUE for inside in quoted]
    else:
        places = [Place.TEXT] * len(placeholders)
    return Syntax(placeholders, places, is_json)


def at(text: str, index: int) -> str:
    """Names the place of a character, for people."""
    before = text[:index]
    return f"line {before.count(chr(10)) + 1}, column {index - before.rfind(chr(10))}"


def _placeholders(text: str) -> Iterator[Placeholder]:
    start = text.find("<")
    while start >= 0:
        end = text.find(">", start) + 1
        if not end:
            raise TemplateError(
                f"the < at {at(text, start)} of InputTemplate is not closed; it cannot be escaped,"
                r" in a string of JSON it can be written as \u003c"
            )
        yield Placeholder(text[start + 1 : end - 1], start, end)
        start = text.find("<", end)


def _quoted(text: str, placeholders: list[Placeholder]) -> list[bool]:
    """For each placeholder whether it stands between quotes, if the template is JSON."""
    inside, quoted = False, []
    literals = pairwise([0, *(index for p in placeholders for index in (p.start, p.end))])
    for number, (start, end) in enumerate(literals):
        if number % 2:
            quoted.append(inside)
        else:
            unescaped = text[start:end].replace(r"\\", "").replace(r"\"", "")
            inside ^= unescaped.count('"') % 2 == 1
    return quoted


def _is_json(text: str, placeholders: list[Placeholder], quoted: list[bool]) -> bool:
    """Raises TemplateError for a template that begins as an object does and is no JSON."""
    try:
        json.loads(_sample(text, placeholders, quoted), parse_constant=_refuse)
    except RecursionError:
        raise TemplateError("InputTemplate is nested too deep") from None
    except ValueError as error:
        if not text.lstrip().startswith("{"):
            return False
        index = getattr(error, "pos", 0)
        reason = getattr(error, "msg", str(error))
        raise TemplateError(
            f"InputTemplate is not valid JSON at {at(text, index)}: {reason}"
        ) from None
    return True


def _sample(text: str, placeholders: list[Placeholder], quoted: list[bool]) -> str:
    """The template with a value for each placeholder, as long as itself: places stay the same.

    The values are such that nothing beside them can make one value of them and itself, as a digit
    would of another digit: `1<$.a>` is no JSON.
    """
    parts, literal = [], 0
    for placeholder, inside in zip(placeholders, quoted, strict=True):
        width = placeholder.end - placeholder.start
        parts.append(text[literal : placeholder.start])
        parts.append("_" * width if inside else "[]".ljust(width))
        literal = placeholder.end
    return "".join([*parts, text[literal:]])


def _is_lone_path(text: str, placeholders: list[Placeholder]) -> bool:
    stripped = text.strip()
    return len(placeholders) == 1 and stripped.startswith("<$") and stripped.endswith(">")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
