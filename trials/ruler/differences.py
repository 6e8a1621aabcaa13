"""Where filters are known to differ from event-ruler, and why: FIDELITY.md names each of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from eventbridge_pipes.pattern import NOT_OF_PIPES
from ruler.pairs import Pair

IP = re.compile(r"[0-9]+(\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*")


class Difference(NamedTuple):
    """Explains pairs on which the two differ: those for whose pattern and event `holds`.

    In both, objects are tuples of names and values, and numbers with a point or an exponent are
    decimals. `ours` and `theirs` are what the two make of the pair, where it is always the same.
    """

    reason: str
    example: Pair
    holds: Callable[[Any, Any], bool]
    ours: str | None = None
    theirs: str | None = None


def reason_of(pair: Pair, ours: str, theirs: str) -> str | None:
    """Return why the two differ on a pair, or None if they should not."""
    documents = _document(pair.pattern), _document(pair.event)
    for each in DIFFERENCES:
        if each.ours in (None, ours) and each.theirs in (None, theirs) and each.holds(*documents):
            return each.reason
    return None


def _document(text: str) -> Any:
    return json.loads(text, object_pairs_hook=tuple, parse_float=Decimal)


def _inside(value: Any) -> Iterator[Any]:
    """The value and all values in it."""
    yield value
    below = [one for _, one in value] if isinstance(value, tuple) else value
    if isinstance(below, list):
        for one in below:
            yield from _inside(one)


def _names(value: Any) -> Iterator[str]:
    for one in _inside(value):
        if isinstance(one, tuple):
            yield from (name for name, _ in one)


def _operands(pattern: Any, *operators: str) -> Iterator[Any]:
    for one in _inside(pattern):
        if isinstance(one, tuple):
            for name, operand in one:
                if name in operators:
                    yield from _inside(operand)


def _compares_beyond(pattern: Any, bound: Callable[[Any], bool]) -> bool:
    return any(_is_number(one) and bound(one) for one in _operands(pattern, *NUMERIC))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_rounded(value: Any) -> bool:
    return isinstance(value, Decimal) and Decimal(repr(float(value))) != value


def _is_ip(value: Any) -> bool:
    return isinstance(value, str) and IP.fullmatch(value) is not None


def _objects(document: Any) -> Iterator[Any]:
    return (one for one in _inside(document) if isinstance(one, tuple))


def _has_a_name_twice(event: Any) -> bool:
    names = ([name for name, _ in members] for members in _objects(event))
    return any(len(each) > len(set(each)) for each in names)


def _parts(document: Any) -> set[str]:
    return {part for name in _names(document) for part in name.split(".")}


def _has_two_spellings_and_an_array(pattern: Any, event: Any) -> bool:
    """Whether names of an object begin alike, up to a dot, and there is an array below it."""
    wanted = _parts(pattern)
    for members in _objects(event):
        parts = [part for name, _ in members if (part := name.partition(".")[0]) in wanted]
        if len(parts) > len(set(parts)) and any(isinstance(one, list) for one in _inside(members)):
            return True
    return False


def _has_arrays_in_arrays(event: Any) -> bool:
    arrays = (one for one in _inside(event) if isinstance(one, list))
    return any(isinstance(one, list) for array in arrays for one in array)


def _wanted_names(members: Any, above: str = "") -> Iterator[str]:
    """The names of the fields that a pattern names, with a dot after each part."""
    for name, value in members:
        place = f"{above}{name}."
        yield place
        if isinstance(value, tuple):
            yield from _wanted_names(value, place)
        if name == "$or" and isinstance(value, list):
            for choice in value:
                if isinstance(choice, tuple):
                    yield from _wanted_names(choice, above)


def _wants_a_value_with_fields_below(pattern: Any) -> bool:
    names = set(_wanted_names(pattern))
    return any(one != other and one.startswith(other) for one in names for other in names)


def _has_an_empty_part(document: Any) -> bool:
    return any("" in name.split(".") for name in _names(document))


NUMERIC = ("numeric", "anything-but")

DIFFERENCES = [
    Difference(
        "an operator that pipes do not support",
        Pair('{"a": [{"wildcard": "x*"}]}', '{"a": "xy"}'),
        lambda pattern, event: not NOT_OF_PIPES.isdisjoint(_names(pattern)),
        ours="refused",
    ),
    Difference(
        "numbers of patterns are from -5e9 to 5e9",
        Pair('{"a": [{"numeric": ["<", 5000000001]}]}', '{"a": 1}'),
        lambda pattern, event: _compares_beyond(pattern, lambda number: abs(number) > 5e9),
        ours="refused",
    ),
    Difference(
        "numbers of patterns have six decimals",
        Pair('{"a": [{"numeric": [">", 0.0000001]}]}', '{"a": 1}'),
        lambda pattern, event: _compares_beyond(pattern, lambda number: round(number, 6) != number),
        ours="refused",
    ),
    Difference(
        "event-ruler loses an alternative of $or that begins as another one does",
        Pair('{"$or": [{"a": [1], "b": [1]}, {"a": [1, 2], "b": [1]}]}', '{"a": 2, "b": 1}'),
        lambda pattern, event: "$or" in _names(pattern),
        ours="matched",
        theirs="lost",
    ),
    Difference(
        "a number of an event beyond 5e9 is in no range",
        Pair('{"a": [{"numeric": [">", 0]}]}', '{"a": 5000000001}'),
        lambda pattern, event: (
            any(_operands(pattern, "numeric"))
            and any(_is_number(one) and abs(one) > 5e9 for one in _inside(event))
        ),
        ours="passed over",
        theirs="matched",
    ),
    Difference(
        "a number of an event with more digits than a float has is rounded",
        Pair('{"a": [0.1]}', '{"a": 0.1000000000000000055511151231257827}'),
        lambda pattern, event: (
            any(map(_is_number, _inside(pattern))) and any(map(_is_rounded, _inside(event)))
        ),
    ),
    Difference(
        "of a name twice in one object of an event, the last one counts",
        Pair('{"a": [1]}', '{"a": 1, "a": 2}'),
        lambda pattern, event: _has_a_name_twice(event),
    ),
    Difference(
        "an event spells a field in two ways, and there is an array",
        Pair('{"a": {"b": [1], "c": [2]}}', '{"a.b": 1, "a": [{"c": 2}]}'),
        _has_two_spellings_and_an_array,
    ),
    Difference(
        "a field is wanted as a value and as an object, and there are arrays in arrays",
        Pair('{"a": ["x"], "a.b": [1]}', '{"a": [["x"], {"b": 1}]}'),
        lambda pattern, event: (
            _wants_a_value_with_fields_below(pattern) and _has_arrays_in_arrays(event)
        ),
    ),
    Difference(
        "a part of a name is empty",
        Pair('{"a": {"": [1]}}', '{"a": {"": 1}}'),
        lambda pattern, event: _has_an_empty_part(pattern) or _has_an_empty_part(event),
    ),
    Difference(
        "a letter beyond U+FFFF, ignoring case",
        Pair('{"a": [{"equals-ignore-case": "\U0001f600"}]}', '{"a": "\U0001f600"}'),
        lambda pattern, event: any(
            isinstance(one, str) and max(one, default="") > "\uffff"
            for one in _operands(pattern, "equals-ignore-case")
        ),
    ),
    Difference(
        "an IP address written in another way",
        Pair('{"a": ["::1"]}', '{"a": "0:0:0:0:0:0:0:1"}'),
        lambda pattern, event: (
            any(map(_is_ip, _inside(pattern))) and any(map(_is_ip, _inside(event)))
        ),
        ours="passed over",
        theirs="matched",
    ),
]
