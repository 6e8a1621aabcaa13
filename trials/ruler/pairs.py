"""Random pairs of a pattern and an event, as JSON texts, rich in what is easily matched wrongly.

Objects are lists of names and values here, as a name may come twice. Strings, numbers and other
values are JSON texts already, so that `1`, `1.0` and `1e0` are three values.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any, NamedTuple

NAMES = ["a", "b", "c", "d", "a", "b", "c", "a.b", "b.c", "a.b.c", "a-b", "$or", "prefix", "\u00e6"]
ODD_NAMES = ["", ".", "a.", ".a", "a..b"]
STRINGS = ["", "a", "ab", "AB", "b", "abc", "1", "1.0", "true", "null", "\u00e9", "\u00c9"]
STRINGS += [
    "stra\u00dfe",
    "STRASSE",
    "\u01c5",
    "\u01c6",
    "\u03c3",
    "\u03a3",
    "\u212a",
    "k",
    "\u0130",
]
STRINGS += ['"', 'a"', '"a', "a.b", " ", "\U0001f600", "??", "10.0.0.1", "10.0.0.01", "::1", "0::1"]
NUMBERS = [
    "0",
    "1",
    "1.0",
    "1e0",
    "10e-1",
    "-1",
    "2",
    "3",
    "-7",
    "100",
    "1E2",
    "1.5",
    "-2.5",
    "0.1",
]
EXTREMES = [
    "-0",
    "-0.0",
    "0.000001",
    "1e-6",
    "0.0000001",
    "0.3",
    "0.30000000000000004",
    "2.0000001",
]
EXTREMES += [
    "4999999999.999999",
    "5000000000",
    "5e9",
    "-5e9",
    "5000000001",
    "1700000000000",
    "1e10",
]
EXTREMES += ["9007199254740992", "9007199254740993", "9007199254740992.0", "12345678901234567890"]
EXTREMES += ["123456789012", "1e23", "100000000000000000000000", "1e400"]
EXTREMES += ["0.1000000000000000055511151231257827", "12345678.123456789012"]
CONSTANTS = ["true", "false", "null"]


class Pair(NamedTuple):
    """The texts of a pattern and of an event."""

    pattern: str
    event: str


class Named(list[tuple[str, Any]]):
    """An object: its names and values."""


def text_of(value: Any) -> str:
    if isinstance(value, Named):
        members = (f"{json.dumps(name)}: {text_of(one)}" for name, one in value)
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return str(value)


def pairs(count: int, seed: int = 0) -> list[Pair]:
    """Return `count` pairs, which are the same for the same seed."""
    random = Random(seed)
    return [_pair(random) for _ in range(count)]


def _pair(random: Random) -> Pair:
    event = _object(random, depth=0)
    pattern = _pattern(random, _fields(event), depth=0)
    return Pair(text_of(pattern), text_of(event))


# Events


def _name(random: Random) -> str:
    return random.choice(ODD_NAMES if random.random() < 0.01 else NAMES)


def _object(random: Random, depth: int) -> Named:
    names = [_name(random) for _ in range(random.choice([0, 1, 1, 2, 2, 3, 4]) + (depth == 0))]
    if random.random() < 0.9:
        names = list(dict.fromkeys(names))
    return Named((name, _value(random, depth + 1)) for name in names)


def _value(random: Random, depth: int) -> Any:
    drawn = random.random()
    if drawn < 0.3 and depth < 4:
        return _object(random, depth)
    if drawn < 0.5 and depth < 5:
        return _array(random, depth)
    return _scalar(random)


def _array(random: Random, depth: int) -> list[Any]:
    size = random.choice([0, 1, 2, 2, 3])
    if random.random() < 0.5:
        return [_object(random, depth + 1) for _ in range(size)]
    return [_value(random, depth + 1) for _ in range(size)]


def _scalar(random: Random) -> str:
    drawn = random.random()
    if drawn < 0.5:
        return random.choice(["1", "2", '"a"', '"b"'])  # which are often equal
    if drawn < 0.7:
        return json.dumps(random.choice(STRINGS))
    return _number(random) if drawn < 0.92 else random.choice(CONSTANTS)


def _number(random: Random) -> str:
    return random.choice(EXTREMES if random.random() < 0.2 else NUMBERS)


def _fields(event: Any, name: str = "") -> list[tuple[str, str]]:
    """The names, with dots, and values of an event."""
    if isinstance(event, Named):
        return [
            field
            for below, value in event
            for field in _fields(value, f"{name}.{below}" if name else below)
        ]
    if isinstance(event, list):
        return [field for value in event for field in _fields(value, name)]
    return [(name, event)]


# Patterns


def _pattern(random: Random, fields: list[tuple[str, str]], depth: int) -> Named:
    """An object of rules, most of which hold for one of the fields of the event."""
    found = Named()
    for _ in range(random.choice([1, 2, 2, 3, 3, 4])):
        if fields and random.random() < 0.8:
            name, value = random.choice(fields)
        else:
            name, value = ".".join(_name(random) for _ in range(random.choice([1, 1, 2, 3]))), "1"
        _put(random, found, name.split("."), _rules(random, value))
    if random.random() < 0.15 and depth < 2:
        found.insert(random.randint(0, len(found)), ("$or", _choices(random, fields, depth)))
    return found


def _choices(random: Random, fields: list[tuple[str, str]], depth: int) -> Any:
    drawn = random.random()
    if drawn < 0.05:
        return random.choice([["1"], ['"a"'], Named([("a", ["1"])]), [], "1"])
    if drawn < 0.1:
        return [Named([("prefix", '"a"')]), Named([("exists", "false")])]
    return [_pattern(random, fields, depth + 1) for _ in range(random.choice([2, 2, 3]))]


def _put(random: Random, found: Named, names: list[str], rules: Any) -> None:
    """Give a field its rules: objects in objects or dots, in an object that is there or another."""
    taken = random.randint(1, len(names)) if random.random() < 0.4 else 1
    name, rest = ".".join(names[:taken]), names[taken:]
    if not rest:
        found.append((name, rules))
        return
    same = [value for other, value in found if other == name and isinstance(value, Named)]
    if not same or random.random() < 0.2:
        same = [Named()]
        found.append((name, same[0]))
    _put(random, same[0], rest, rules)


def _rules(random: Random, value: str) -> Any:
    drawn = random.random()
    if drawn < 0.005:
        return random.choice(
            [[], Named(), [[value]], value, [Named()], Named([("exists", "true")])]
        )
    if drawn < 0.2:
        return [Named([("exists", "false")])]
    return [_rule(random, value) for _ in range(random.choice([1, 1, 1, 2, 3]))]


def _rule(random: Random, value: str) -> Any:
    if random.random() < 0.1:
        value = _scalar(random)
    if random.random() < 0.5:
        return value
    text = json.loads(value) if value.startswith('"') else random.choice(STRINGS)
    part = json.dumps(text[: random.randint(0, 3)])
    end = json.dumps(text[random.randint(0, len(text)) :])
    other = json.dumps(text.swapcase())
    number = value if value.strip("-")[0].isdigit() else _number(random)
    low, high = sorted([number, _number(random)], key=float)
    operators = [
        ("exists", random.choice(["true", "false", "false"])),
        ("prefix", part),
        ("suffix", end),
        ("equals-ignore-case", other),
        ("prefix", Named([("equals-ignore-case", json.dumps(json.loads(part).swapcase()))])),
        ("suffix", Named([("equals-ignore-case", json.dumps(json.loads(end).swapcase()))])),
        ("anything-but", random.choice([part, [part, end], [other]])),
        ("anything-but", random.choice([number, [number, "1"], [number, "2", "1.0"]])),
        ("numeric", [f'"{random.choice(["=", "<", "<=", ">", ">="])}"', number]),
        ("numeric", ['">="', low, '"<"', high]),
    ]
    operator = random.choice(operators)
    if random.random() < 0.01:
        operator = random.choice(["cidr", "wildcard", "exactly", "regex"]), part
    return Named([operator, operator] if random.random() < 0.01 else [operator])
