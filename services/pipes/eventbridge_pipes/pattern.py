"""Event patterns, as the filters of a pipe have them.

Of the operators, those work that AWS's table marks as supported by pipes:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Any

from eventbridge_pipes.record import Payload, Record

FieldPath = tuple[str, ...]

Test = Callable[[Any], bool]
"""Of one value of the event, neither an object nor an array."""

Conditions = Mapping[FieldPath, Test | None]
"""A test of the value of each field; None for a field that must not be there."""

Operator = Callable[[Any, str], Test | None]
"""Takes its operand and its place in the pattern, for a PatternError.

Returns None for a field that must not be there.
"""

MAX_ALTERNATIVES = 1000
"""AWS's bound for all combinations of the `$or` of a pattern."""

MAX_DEPTH = 100
"""Our own bound for objects in objects; AWS names none."""

LIMIT = 5_000_000_000
DECIMALS = 6
"""What numbers can be compared: from -LIMIT to LIMIT, with so many digits after the point."""

NOT_OF_PIPES = frozenset({"cidr", "exactly", "wildcard"})


@dataclass(frozen=True, kw_only=True)
class RecordSource:
    """What patterns need to know about a source.

    Patterns look into its `payload`, if there is one. Patterns for `object_member` have to be
    objects. `added` are the members that the pipe adds when it polls: AWS lists them as no fields
    for patterns.
    """

    service: str
    payload: Payload | None = None
    object_member: str | None = None
    added: frozenset[str]


class PatternError(ValueError):
    """The pattern is refused; the text names the place in it and the reason."""


class Filter(tuple[Callable[[Record], bool], ...]):
    """Lets a record through that passes any of these tests: one of each alternative of a pattern.

    Without any it is false: all pass. A pattern has several alternatives if it has an `$or`.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
    """

    @classmethod
    def parse(cls, patterns: Iterable[str], source: RecordSource) -> Filter:
        """Raises PatternError."""
        try:
            return cls(
                _record_test(conditions, source)
                for text in patterns
                for conditions in _alternatives(_document(text))
            )
        except RecursionError:
            raise PatternError(_TOO_DEEP) from None

    def passes(self, record: Record) -> bool:
        for test in self:  # any() of a generator takes twice as long
            if test(record):
                return True
        return not self


def _record_test(conditions: Conditions, source: RecordSource) -> Callable[[Record], bool]:
    """Return a test of a record for one alternative.

    AWS's tables have a record dropped whose payload is not in the format of the pattern. They say
    nothing of a `$or` with and without conditions on it: each alternative is judged by itself, as
    if it were a filter of its own. If no condition is on the payload, its format does not matter.
    """
    for path in conditions:
        _check(path, source)
    holds = _compiled(conditions)
    of_payload = [
        path for path in conditions if source.payload and path[0] == source.payload.member
    ]
    if not of_payload:
        return lambda record: holds(record.members)
    wants_json = any(len(path) > 1 for path in of_payload)
    return lambda record: record.has_json_payload is wants_json and holds(record.decoded)


def _check(path: FieldPath, source: RecordSource) -> None:
    name = path[0]
    if name in source.added:
        raise PatternError(
            f'"{name}" is added by the pipe; patterns see only what {source.service} itself sends'
        )
    if path == (source.object_member,):
        raise PatternError(f'"{name}" must be an object: patterns for it must be valid JSON')


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise PatternError(f"the pattern is not JSON: {reason}") from None
    if not isinstance(document, dict):
        raise PatternError("the pattern is not an object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Undocumented: a second value would silently take the place of the first, so it is refused."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise PatternError(f'"{twice}" is given more than once in one object')
    return members


def _refuse(constant: str) -> None:
    raise PatternError(f"the pattern is not JSON: {constant} is no value")


def _alternatives(
    members: Mapping[str, Any], path: FieldPath = (), in_or: bool = False
) -> list[Conditions]:
    """The choices of every field of an object, in all combinations.

    What has no field or no rule is refused as AWS's open matcher refuses it.
    """
    if not members:
        raise PatternError(f"{_place(path)}: an empty object matches nothing")
    if len(path) > MAX_DEPTH:
        raise PatternError(_TOO_DEEP)
    fields = [_of_field(name, value, path, in_or) for name, value in members.items()]
    if math.prod(map(len, fields)) > MAX_ALTERNATIVES:
        raise PatternError(_TOO_COMPLEX)
    return [_joined(parts) for parts in itertools.product(*fields)]


def _of_field(name: str, value: Any, above: FieldPath, in_or: bool) -> Sequence[Conditions]:
    path = (*above, name)
    if name == "$or":
        return _of_or(value, above)
    if in_or and name in OPERATOR_NAMES:
        raise PatternError(f'{_place(path)}: in a $or, "{name}" cannot be the name of a field')
    if isinstance(value, dict):
        return _alternatives(value, path, in_or)
    if isinstance(value, list):
        return [{path: choice} for choice in _choices(value, _place(path))]
    raise PatternError(f"{_place(path)}: must be an object or an array")


def _of_or(value: Any, path: FieldPath) -> list[Conditions]:
    place = _place((*path, "$or"))
    if not isinstance(value, list) or len(value) < 2:
        raise PatternError(f"{place}: must be an array of at least two objects")
    found: list[Conditions] = []
    for choice in value:
        if not isinstance(choice, dict):
            raise PatternError(f"{place}: must be an array of objects")
        found += _alternatives(choice, path, in_or=True)
    return found


def _joined(parts: Sequence[Conditions]) -> Conditions:
    joined: dict[FieldPath, Test | None] = {}
    for part in parts:
        for path in joined.keys() & part.keys():
            raise PatternError(f"{_place(path)}: is given in a $or and beside it")
        joined.update(part)
    return joined


def _place(path: FieldPath) -> str:
    return ".".join(path) or "the pattern"


def _compiled(conditions: Conditions) -> Test:
    """Return a test of an event for one alternative.

    Raises PatternError where one path goes on below another that wants a value.
    """
    holds = _object_test({path: test for path, test in conditions.items() if test})
    absent = [path for path, test in conditions.items() if test is None]
    if not absent:
        return holds
    unwanted = [_object_test({path: lambda value: True}) for path in absent]
    return lambda event: holds(event) and not any(present(event) for present in unwanted)


def _object_test(wanted: Mapping[FieldPath, Test]) -> Test:
    """Return a test of the fields of an object, or of any object in an array."""
    tests: dict[str, Test] = {}
    paths_below: dict[str, dict[FieldPath, Test]] = {}
    for (name, *rest), test in wanted.items():
        if rest:
            paths_below.setdefault(name, {})[tuple(rest)] = test
        else:
            tests[name] = _value_test(test)
    for name in tests.keys() & paths_below.keys():
        raise PatternError(f'"{name}" is wanted as a value and as an object at once')
    tests |= {name: _object_test(paths) for name, paths in paths_below.items()}
    fields = list(tests.items())

    def holds_in(members: Mapping[str, Any]) -> bool:
        for name, test in fields:  # noqa: SIM110 (all() of a generator takes twice as long)
            if not test(members.get(name, _NO_VALUE)):
                return False
        return True

    def holds(value: Any) -> bool:
        if type(value) is list:
            return any(holds_in(one) for one in _elements(value) if type(one) is dict)
        return type(value) is dict and holds_in(value)

    return holds


def _value_test(test: Test) -> Test:
    """Return a test of a value that may be an object, too, or of any value in an array."""

    def holds(value: Any) -> bool:
        if type(value) is list:
            return any(test(one) for one in _elements(value) if type(one) is not dict)
        return type(value) is not dict and test(value)

    return holds


def _elements(array: Sequence[Any]) -> Iterator[Any]:
    """The elements of `array` and of the arrays in it; no recursion, as events are untrusted."""
    pending = [iter(array)]
    while pending:
        for one in pending[-1]:
            if type(one) is list:
                pending.append(iter(one))
                break
            yield one
        else:
            pending.pop()


def _choices(rules: Sequence[Any], where: str) -> list[Test | None]:
    """What a field may be: a test for its values, None for a field that must not be there.

    Both come of rules such as `["a", {"exists": false}]`. Raises PatternError.
    """
    if not rules:
        raise PatternError(f"{where}: an empty array matches nothing")
    exact = [rule for rule in rules if not isinstance(rule, dict | list)]
    tests: list[Test | None] = [_equal_to(exact)] if exact else []
    tests += [_of_operator(rule, where) for rule in rules if isinstance(rule, dict | list)]
    of_values = [test for test in tests if test]
    absent: list[Test | None] = [None] if None in tests else []
    return [_any_of(of_values), *absent] if of_values else absent


def _of_operator(rule: Any, where: str) -> Test | None:
    if isinstance(rule, list):
        raise PatternError(f"{where}: an array cannot hold an array")
    if len(rule) != 1:
        raise PatternError(f"{where}: a rule has exactly one operator, not {len(rule)}")
    ((name, operand),) = rule.items()
    if name in NOT_OF_PIPES:
        raise PatternError(f'{where}: EventBridge Pipes does not support the operator "{name}"')
    if name not in _OPERATORS:
        raise PatternError(f'{where}: unknown operator "{name}"')
    return _OPERATORS[name](operand, f"{where}: {name}")


def _any_of(tests: Sequence[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda value: any(test(value) for test in tests)


def _equal_to(values: Sequence[Any]) -> Test:
    """Numbers are equal by value: 300 is 300.0, though AWS's pages say otherwise, and true is no 1.

    AWS's own answers to 300 and 300.0 were captured by other projects, and its open matcher
    compares numbers by value.
    """
    if all(isinstance(value, str) for value in values):
        return frozenset(values).__contains__
    wanted = frozenset((isinstance(value, bool), value) for value in values)
    return lambda value: (isinstance(value, bool), value) in wanted


def _exists(operand: Any, where: str) -> Test | None:
    if not isinstance(operand, bool):
        raise PatternError(f"{where} takes true or false")
    return (lambda value: True) if operand else None


def _anything_but(operand: Any, where: str) -> Test:
    if isinstance(operand, dict):
        raise PatternError(
            f"{where} takes values only; EventBridge Pipes supports no operator in it"
        )
    values = operand if isinstance(operand, list) else [operand]
    if values and all(isinstance(value, str) for value in values):
        unwanted = frozenset(values)
        return lambda value: value not in unwanted
    if values and all(_is_number(value) for value in values):
        numbers = frozenset(_comparable(value, where) for value in values)
        return lambda value: isinstance(value, bool) or value not in numbers
    raise PatternError(f"{where} takes a string or a number, or an array of only one of these")


def _equals_ignore_case(operand: Any, where: str) -> Test:
    """A letter equals itself, and its upper and lower case if that is one letter.

    AWS's open matcher, event-ruler, folds letter by letter: `straße` is not `STRASSE`.
    """
    letters = [
        {letter, *(other for other in (letter.lower(), letter.upper()) if len(other) == 1)}
        for letter in _text(operand, where)
    ]
    return lambda value: (
        isinstance(value, str)
        and len(value) == len(letters)
        and all(letter in equal for letter, equal in zip(value, letters, strict=True))
    )


def _affix(found_in: Callable[[str, str], bool], part: Callable[[str, int], str]) -> Operator:
    """`part` takes as many characters of a value as the operand has."""

    def of(operand: Any, where: str) -> Test:
        if isinstance(operand, dict):
            if list(operand) != ["equals-ignore-case"]:
                expected = "a string, or an object with only equals-ignore-case"
                raise PatternError(f"{where} takes {expected}")
            inner = operand["equals-ignore-case"]
            equal = _equals_ignore_case(inner, f"{where}: equals-ignore-case")
            return lambda value: isinstance(value, str) and equal(part(value, len(inner)))
        text = _text(operand, where)
        return lambda value: isinstance(value, str) and found_in(value, text)

    return of


def _numeric(operand: Any, where: str) -> Test:
    """`["=", 1]`, one bound such as `["<", 1]`, or both, the lower one first."""
    if not isinstance(operand, list) or len(operand) % 2 or operand[::2] not in _NUMERIC_SIGNS:
        expected = 'an array such as ["=", 1], [">", 0] or [">", 0, "<=", 5]'
        raise PatternError(f"{where} takes {expected}")
    bounds = [_comparable(number, where) for number in operand[1::2]]
    if len(bounds) == 2 and bounds[0] >= bounds[1]:
        raise PatternError(f"{where}: no number lies in an empty range")
    comparisons = [(_SIGNS[sign], bound) for sign, bound in zip(operand[::2], bounds, strict=True)]

    def test(value: Any) -> bool:
        if not _is_number(value):
            return False
        # Further digits of an event's number: undocumented, here rounded away.
        rounded = round(value, DECIMALS)
        return -LIMIT <= rounded <= LIMIT and all(
            compare(rounded, bound) for compare, bound in comparisons
        )

    return test


def _comparable(number: Any, where: str) -> Any:
    if not _is_number(number):
        raise PatternError(f"{where}: expected a number")
    if not -LIMIT <= number <= LIMIT:
        raise PatternError(f"{where}: numbers must be from -5.0e9 to 5.0e9")
    if round(number, DECIMALS) != number:
        raise PatternError(f"{where}: numbers have at most {DECIMALS} digits after the point")
    return number


def _text(operand: Any, where: str) -> str:
    if not isinstance(operand, str):
        raise PatternError(f"{where} takes a string")
    return operand


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_NO_VALUE: Mapping[str, Any] = {}
"""Stands for a field that is missing: like an empty object, it is no leaf and has no fields."""

_TOO_DEEP = f"the pattern is nested too deeply: at most {MAX_DEPTH} levels"
_TOO_COMPLEX = f"the pattern is too complex: over {MAX_ALTERNATIVES} combinations of its $or"
_SIGNS = {"=": eq, ">": gt, ">=": ge, "<": lt, "<=": le}
_NUMERIC_SIGNS = [
    *([sign] for sign in _SIGNS),
    *([low, high] for low in (">", ">=") for high in ("<", "<=")),
]
_OPERATORS: Mapping[str, Operator] = {
    "anything-but": _anything_but,
    "equals-ignore-case": _equals_ignore_case,
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _affix(str.startswith, lambda value, length: value[:length]),
    "suffix": _affix(str.endswith, lambda value, length: value[max(0, len(value) - length) :]),
}
OPERATOR_NAMES = {*NOT_OF_PIPES, *_OPERATORS}
