"""JSON paths into an event, and target parameters that are such a path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from eventbridge_pipes.record import Record

MISSING: Any = object()
"""What a path leads to when there is nothing at its end."""

Path = Callable[[Any], Any]
"""Returns what the path leads to in a value, or MISSING.

A path with `[*]` leads to the array of what it finds in the items that have it. It is MISSING when
what is before the first `[*]` is no array.
"""

Steps = Sequence[str | int]

# The grammar that botocore's model gives for JsonPath: $(\.[\w/_-]+(\[(\d+|\*)\])*)*
_PATH = re.compile(r"\$(?:\.[\w/-]+(?:\[(?:\d{1,9}|\*)\])*)*", re.ASCII)
_STEP = re.compile(r"\.([\w/-]+)|\[(\d+)\]", re.ASCII)
_LONGEST_INDEX = 9
_NO_PARAMETERS = {
    object: "nothing in this event",
    type(None): "null",
    dict: "an object",
    list: "an array",
}
"""The types of what cannot be a parameter; the first one is that of MISSING."""


class PathError(ValueError):
    """Not a path that EventBridge Pipes knows; the text says where it stops being one."""


class UnresolvedError(ValueError):
    """A parameter's path leads to nothing that can be a parameter. It names the path only."""


def parse_path(text: str) -> Path:
    """Names, indices and `[*]`: `$`, `$.a.b[3].c`, `$.items[*].id`. Raises PathError.

    Names are letters, digits, dashes, underscores and slashes; quoted names are not supported.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
    """
    match = _PATH.match(text)
    if match is None:
        raise PathError(f"the path {text} does not begin with $")
    if match.end() < len(text):
        raise PathError(
            f"the path {text} cannot be read from its character {match.end() + 1} on; names"
            " are letters, digits, - _ and /, indices are [3] or [*] after a name"
        )
    first, *rest = [
        [name or int(index) for name, index in _STEP.findall(steps)] for steps in text.split("[*]")
    ]
    return partial(_every, first, rest) if rest else partial(_follow, first)


def resolve(parameter: str, record: Record) -> str:
    """The value of a target's or an enrichment's parameter: at its path, or as it stands.

    Raises UnresolvedError when the path leads to nothing, to null, to an object or to an array.
    What AWS does then is not documented; sending anything in its place would put the record where
    nobody looks for it, so that the attempt fails.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
    """
    path = _path_of(parameter)
    if path is None:
        return parameter
    value = path(record.decoded)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if found := _NO_PARAMETERS.get(type(value)):
        raise UnresolvedError(f"the parameter's path {parameter} leads to {found}")
    return json.dumps(value)


@lru_cache(maxsize=1024)
def _path_of(parameter: str) -> Path | None:
    """Return None if not the whole of `parameter` is a path: `Orders in $.region`."""
    return parse_path(parameter) if _PATH.fullmatch(parameter) else None


def _follow(steps: Steps, value: Any) -> Any:
    for step in steps:
        if type(value) is dict:
            value = value.get(step, MISSING)
        elif type(value) is list:
            value = _item(value, step)
        else:
            return MISSING
    return value


def _every(first: Steps, rest: Sequence[Steps], value: Any) -> Any:
    found = _follow(first, value)
    if type(found) is not list:
        return MISSING
    nodes = [found]
    for steps in rest:
        items = [item for node in nodes if type(node) is list for item in node]
        nodes = [node for item in items if (node := _follow(steps, item)) is not MISSING]
    return nodes


def _item(items: list[Any], step: str | int) -> Any:
    """A name that is a number is an index as well: users report that `L.0.S` works."""
    if isinstance(step, str):
        if not (step.isdecimal() and len(step) <= _LONGEST_INDEX):
            return MISSING
        step = int(step)
    return items[step] if step < len(items) else MISSING
