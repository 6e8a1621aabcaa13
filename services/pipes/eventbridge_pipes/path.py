"""JSON paths into an event, and target parameters that are such a path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain, islice
from typing import Any

from eventbridge_pipes.record import Record

MISSING: Any = object()
"""What a path leads to when there is nothing at its end."""

MOST_FOUND = 1_000_000
"""How many values a path with wildcards, slices or `..` may pass in one event."""


class Found(list[Any]):
    """What a path with wildcards, slices or `..` finds, in the order of the event."""


Path = Callable[[Any], Any]
"""Returns what the path leads to in a value, or MISSING. May raise TooLargeError.

A path with a wildcard, a slice or `..` leads to Found, also if it finds one value or none. It is
MISSING when what is before the first of these is neither an object nor an array.
"""

Steps = Sequence[str | int]

_STEP = re.compile(
    r"""(?P<dots>\.{0,2})
    (?:
        (?<=\.) (?: (?P<name>[\w/-]+) | \* )
      | \[ (?:
            (?P<index>-?\d{1,9})
          | (?P<start>-?\d{1,9})? (?P<slice>:) (?P<end>-?\d{1,9})?
          | '(?P<quoted>[^'\\]*)' | "(?P<double_quoted>[^"\\]*)"
          | \*
        ) \]
    )""",
    re.ASCII | re.VERBOSE,
)
_LONGEST_INDEX = 9
_NO_PARAMETERS = {
    object: "nothing in this event",
    type(None): "null",
    dict: "an object",
    list: "an array",
    Found: "an array",
}
"""The types of what cannot be a parameter; the first one is that of MISSING."""


class PathError(ValueError):
    """Not a path that this service knows; the text says where it stops being one."""


class UnresolvedError(ValueError):
    """A parameter's path leads to nothing that can be a parameter. It names the path only."""


class TooLargeError(Exception):
    """A path or a template makes too much of an event or of a batch."""


def parse_path(text: str) -> Path:
    """Read a path of names, indices, wildcards, slices and `..`: `$.a.b[-1]`, `$.items[*].id`.

    Names without quotes are letters, digits, dashes, underscores and slashes. AWS's page has no
    negative indices, slices, `..` and quoted names, but it validates no path: they mean what they
    mean in JSONPath. `$.` is the whole event. Raises PathError.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
    """
    if not text.startswith("$"):
        raise PathError(f"the path {text} does not begin with $")
    first: list[str | int] = []
    rest: list[Callable[[Any], Iterable[Any]]] = []
    position = len(text) if text == "$." else 1
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise PathError(
                f"the path {text} cannot be read from its character {position + 1} on; it may"
                " have steps such as .name ['any name'] [0] [-1] [0:2] [*] .* ..name"
            )
        position = match.end()
        if match["dots"] == "..":
            rest.append(_descendants)
        step = _definite_step(match)
        if step is None:
            bounds = [int(bound) if bound else None for bound in match.group("start", "end")]
            rest.append(partial(_sliced, slice(*bounds)) if match["slice"] else _children)
        elif rest:
            rest.append(partial(_at, step))
        else:
            first.append(step)
    return partial(_find, first, rest) if rest else partial(_follow, first)


def resolve(parameter: str, record: Record) -> str:
    """The value of a target's or an enrichment's parameter: at its path, or as it stands.

    Raises UnresolvedError when the path leads to nothing, to null, to an object or to an array.
    What AWS does then is not documented; sending anything in its place would put the record where
    nobody looks for it, so that the attempt fails.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
    """
    if not (parameter.startswith(("$.", "$[")) or parameter == "$"):
        return parameter
    try:
        value = _path_of(parameter)(record.decoded)
    except (PathError, TooLargeError) as error:
        raise UnresolvedError(str(error)) from None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if found := _NO_PARAMETERS.get(type(value)):
        raise UnresolvedError(f"the parameter's path {parameter} leads to {found}")
    return json.dumps(value)


_path_of = lru_cache(maxsize=1024)(parse_path)


def _definite_step(match: re.Match[str]) -> str | int | None:
    """Return a name or an index; None for a step that may find several values."""
    if match["index"]:
        return int(match["index"])
    names = match.group("name", "quoted", "double_quoted")
    return next((name for name in names if name is not None), None)


def _follow(steps: Steps, value: Any) -> Any:
    for step in steps:
        if type(value) is dict:
            value = value.get(step, MISSING)
        elif type(value) is list:
            value = _item(value, step)
        else:
            return MISSING
    return value


def _find(first: Steps, rest: Sequence[Callable[[Any], Iterable[Any]]], value: Any) -> Any:
    node = _follow(first, value)
    if type(node) is not dict and type(node) is not list:
        return MISSING
    nodes, room = [node], MOST_FOUND
    for find in rest:
        nodes = list(islice(chain.from_iterable(map(find, nodes)), room + 1))
        room -= len(nodes)
        if room < 0:
            raise TooLargeError(f"a path passes more than {MOST_FOUND:,} values of an event")
    return Found(nodes)


def _children(node: Any) -> Iterable[Any]:
    return node.values() if type(node) is dict else node if type(node) is list else ()


def _descendants(node: Any) -> Iterator[Any]:
    """Yield `node` and all that is in it, each before what is in it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed([*_children(node)]))


def _sliced(bounds: slice, node: Any) -> Sequence[Any]:
    return node[bounds] if type(node) is list else ()


def _at(step: str | int, node: Any) -> Sequence[Any]:
    found = _follow((step,), node)
    return () if found is MISSING else (found,)


def _item(items: list[Any], step: str | int) -> Any:
    """A name that is a number is an index as well: users report that `L.0.S` works."""
    if isinstance(step, str):
        if not (step.isdecimal() and len(step) <= _LONGEST_INDEX):
            return MISSING
        step = int(step)
    return items[step] if -len(items) <= step < len(items) else MISSING
