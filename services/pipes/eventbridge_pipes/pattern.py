"""Event patterns, as the filters of a pipe have them.

They match as AWS's open matcher does, event-ruler; `trials/ruler` compares the two.
https://github.com/aws/event-ruler
Of its operators, those work that AWS's table marks as supported by pipes:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any

from eventbridge_pipes.record import Payload, Record

FieldPath = tuple[str, ...]
"""The name of a field, split at its dots: objects in objects and a name with dots are the same."""

Members = tuple[tuple[str, Any], ...]
"""An object of a pattern, in which a name may come twice."""

Test = Callable[[Any], bool]
"""Of one value of the event, neither an object nor an array."""

Choices = Sequence[Test | None]
"""What a field may be: a test for its values, None for a field that must not be there.

Both come of rules such as `["a", {"exists": false}]`.
"""

Alternatives = list[dict[str, Choices]]
"""The choices of each field, by its name with dots, for each alternative of a pattern."""

Condition = tuple[FieldPath, Test | None]

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
                for conditions in _conditions(_document(text))
            )
        except RecursionError:
            raise PatternError(_TOO_DEEP) from None

    def passes(self, record: Record) -> bool:
        for test in self:  # any() of a generator takes twice as long
            if test(record):
                return True
        return not self


def _record_test(
    conditions: tuple[Condition, ...], source: RecordSource
) -> Callable[[Record], bool]:
    """Return a test of a record for one alternative.

    AWS's tables have a record dropped whose payload is not in the format of the pattern. They say
    nothing of a `$or` with and without conditions on it: each alternative is judged by itself, as
    if it were a filter of its own. If no condition is on the payload, its format does not matter.
    """
    paths = [path for path, _ in conditions]
    for path in paths:
        _check(path, source)
    holds = _object_test(conditions)
    of_payload = [path for path in paths if source.payload and path[0] == source.payload.member]
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


def _document(text: str) -> Members:
    """The pattern, in which no number is rounded to a float."""
    try:
        document = json.loads(
            text, object_pairs_hook=tuple, parse_float=_decimal, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise PatternError(f"the pattern is not JSON: {reason}") from None
    if not isinstance(document, tuple):
        raise PatternError("the pattern is not an object")
    return document


def _decimal(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation:
        raise PatternError(f"the exponent of {number} is too large") from None


def _refuse(constant: str) -> None:
    raise PatternError(f"the pattern is not JSON: {constant} is no value")


def _conditions(document: Members) -> Iterator[tuple[Condition, ...]]:
    """The conditions that must hold together, for each alternative, in the order of the names."""
    alternatives = _alternatives(document)
    if sum(math.prod(map(len, fields.values())) for fields in alternatives) > MAX_ALTERNATIVES:
        raise PatternError(_TOO_COMPLEX)
    for fields in alternatives:
        # Java's order of strings, in which event-ruler looks at the fields.
        names = sorted(fields, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        paths = [tuple(name.split(".")) for name in names]
        if max(map(len, paths)) > MAX_DEPTH:
            raise PatternError(_TOO_DEEP)
        for choices in itertools.product(*(fields[name] for name in names)):
            yield tuple(zip(paths, choices, strict=True))


def _alternatives(document: Members) -> Alternatives:
    """As in event-ruler, `$or` is the name of a field in a pattern that is invalid otherwise."""
    try:
        return _read(document, "", [{}], or_is_name=False)
    except PatternError as error:
        try:
            return _read(document, "", [{}], or_is_name=True)
        except PatternError:
            raise error from None


def _read(
    members: Members, above: str, alternatives: Alternatives, or_is_name: bool, in_or: bool = False
) -> Alternatives:
    """Add the fields of an object to each alternative. The last one of a name takes its place."""
    if not members:
        raise PatternError(f"{above or 'the pattern'}: an empty object matches nothing")
    for name, value in members:
        place = f"{above}.{name}" if above else name
        if name == "$or" and not or_is_name:
            alternatives = _read_or(value, above, place, alternatives)
        elif name in RESERVED and in_or:
            raise PatternError(f'{place}: in a $or, "{name}" cannot be the name of a field')
        elif isinstance(value, tuple):
            alternatives = _read(value, place, alternatives, or_is_name, in_or)
        elif isinstance(value, list):
            choices = _choices(value, place)
            for fields in alternatives:
                fields[place] = choices
        else:
            raise PatternError(f"{place}: must be an object or an array")
    return alternatives


def _read_or(value: Any, above: str, place: str, alternatives: Alternatives) -> Alternatives:
    if not isinstance(value, list) or len(value) < 2:
        raise PatternError(f"{place}: must be an array of at least two objects")
    found: Alternatives = []
    for choice in value:
        if not isinstance(choice, tuple):
            raise PatternError(f"{place}: must be an array of objects")
        copies = [dict(fields) for fields in alternatives]
        found += _read(choice, above, copies, or_is_name=False, in_or=True)
        if len(found) > MAX_ALTERNATIVES:
            raise PatternError(_TOO_COMPLEX)
    return found


@lru_cache(maxsize=1000)
def _object_test(conditions: tuple[Condition, ...]) -> Test:
    """Return a test of an object, or of any object in an array.

    Fields that must not be there and come before all others must be in no object of the array.
    Those that come after others need to be missing only in the object where the others hold.

    The alternatives of a `$or` have most tests in common.
    """
    wanted = list(itertools.dropwhile(lambda condition: condition[1] is None, conditions))
    unwanted = [
        _wanted_test([(path, _any_value)])
        for path, _ in conditions[: len(conditions) - len(wanted)]
    ]
    holds = _wanted_test(wanted) if wanted else _any_value
    if not unwanted:
        return holds
    return lambda value: holds(value) and not any(present(value) for present in unwanted)


def _wanted_test(conditions: Sequence[Condition]) -> Test:
    """As `_object_test`, where the first condition is on a field that must be there."""
    fields: list[tuple[str, Test]] = []
    below: dict[str, list[Condition]] = {}
    for (name, *rest), test in conditions:
        if rest:
            below.setdefault(name, []).append((tuple(rest), test))
        else:
            fields.append((name, _value_test(test) if test else _no_value))
    fields += [(name, _object_test(tuple(paths))) for name, paths in below.items()]

    def holds_in(members: Mapping[str, Any]) -> bool:
        if below and "." in "".join(members):
            members = _nested([members], below)
        for name, test in fields:  # noqa: SIM110 (all() of a generator takes twice as long)
            if not test(members.get(name, _NO_VALUE)):
                return False
        return True

    def holds(value: Any) -> bool:
        if type(value) is dict:
            return holds_in(value)
        return any(map(holds_in, _objects(value, below)))

    return holds


class _Values(list[Any]):
    """The values of a field whose name an event spells in several ways."""


def _nested(objects: Sequence[Mapping[str, Any]], names: Container[str]) -> dict[str, Any]:
    """The members of all the objects, `{"a.b": 1}` as `{"a": {"b": 1}}` for an `a` of `names`."""
    found: dict[str, _Values] = {}
    for members in objects:
        for name, value in members.items():
            first, dot, rest = name.partition(".")
            if dot and first in names:
                found.setdefault(first, _Values()).append({rest: value})
            else:
                found.setdefault(name, _Values()).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _objects(value: Any, names: Container[str]) -> Iterable[Mapping[str, Any]]:
    """The objects of an array, and the one of all objects with which an event spells a field."""
    if type(value) is _Values:
        objects = [one for one in value if type(one) is dict]
        arrays = [one for one in value if type(one) is list]
        return [_nested(objects, names), *_objects(arrays, names)]
    if type(value) is list:
        return (one for one in _elements(value) if type(one) is dict)
    return ()


def _value_test(test: Test) -> Test:
    """Return a test of a value that may be an object, too, or of any value in an array."""

    def holds(value: Any) -> bool:
        if isinstance(value, list):
            return any(test(one) for one in _elements(value) if type(one) is not dict)
        return type(value) is not dict and test(value)

    return holds


def _any_value(value: Any) -> bool:
    return True


def _no_value(value: Any) -> bool:
    return not _is_there(value)


_is_there = _value_test(_any_value)


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


def _choices(rules: Sequence[Any], where: str) -> Choices:
    if not rules:
        raise PatternError(f"{where}: an empty array matches nothing")
    exact = [rule for rule in rules if not isinstance(rule, tuple | list)]
    tests: list[Test | None] = [_equal_to(exact)] if exact else []
    tests += [_of_operator(rule, where) for rule in rules if isinstance(rule, tuple | list)]
    of_values = [test for test in tests if test]
    absent: list[Test | None] = [None] if None in tests else []
    return [_any_of(of_values), *absent] if of_values else absent


def _of_operator(rule: Any, where: str) -> Test | None:
    if isinstance(rule, list):
        raise PatternError(f"{where}: an array cannot hold an array")
    if len(rule) != 1:
        raise PatternError(f"{where}: a rule has exactly one operator, not {len(rule)}")
    ((name, operand),) = rule
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
    wanted = frozenset(map(_identity, values))
    return lambda value: _identity(value) in wanted


def _identity(value: Any) -> tuple[bool, Any]:
    """What only equal values have in common. Floats count as the decimals that they stand for."""
    return isinstance(value, bool), Decimal(repr(value)) if isinstance(value, float) else value


def _exists(operand: Any, where: str) -> Test | None:
    if not isinstance(operand, bool):
        raise PatternError(f"{where} takes true or false")
    return (lambda value: True) if operand else None


def _anything_but(operand: Any, where: str) -> Test:
    if isinstance(operand, tuple):
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
    equal = _ignoring_case(_text(operand, where)).fullmatch
    return lambda value: isinstance(value, str) and equal(value) is not None


def _ignoring_case(text: str, step: int = 1) -> re.Pattern[str]:
    """Return an expression for `text` with each letter in lower or upper case, as event-ruler has.

    The upper case of some letters is several: `straße` is `STRASSE`, but not `strasse`. The two
    cases of a letter begin differently, so that no text takes longer than its length. With -1 for
    `step`, the expression is for the text backwards.
    """
    cases = [{letter.lower()[::step], letter.upper()[::step]} for letter in text[::step]]
    return re.compile("".join(f"(?:{'|'.join(map(re.escape, both))})" for both in cases))


def _affix(step: int) -> Operator:
    """Return the operator of prefixes, or of suffixes with -1: prefixes of the text backwards.

    Quotation marks are a part of strings, as in event-ruler: `a"` is a prefix of `a`.
    """

    def of(operand: Any, where: str) -> Test:
        if isinstance(operand, tuple):
            begins = _ignoring_case(_ignored_case(operand, where), step).match
        else:
            begins = re.compile(re.escape(_text(operand, where)[::step])).match
        return lambda value: isinstance(value, str) and begins(f'{value[::step]}"') is not None

    return of


def _ignored_case(operand: Members, where: str) -> str:
    if [name for name, _ in operand] != ["equals-ignore-case"]:
        expected = "a string, or an object with only equals-ignore-case"
        raise PatternError(f"{where} takes {expected}")
    return _text(operand[0][1], f"{where}: equals-ignore-case")


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
        return (
            _is_number(value)
            and -LIMIT <= value <= LIMIT
            and all(compare(value, bound) for compare, bound in comparisons)
        )

    return test


def _comparable(number: Any, where: str) -> float:
    if not _is_number(number):
        raise PatternError(f"{where}: expected a number")
    if not -LIMIT <= number <= LIMIT:
        raise PatternError(f"{where}: numbers must be from -5.0e9 to 5.0e9")
    if round(number, DECIMALS) != number:
        raise PatternError(f"{where}: numbers have at most {DECIMALS} digits after the point")
    return float(number)


def _text(operand: Any, where: str) -> str:
    if not isinstance(operand, str):
        raise PatternError(f"{where} takes a string")
    return operand


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


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
    "prefix": _affix(1),
    "suffix": _affix(-1),
}
RESERVED = {
    *NOT_OF_PIPES,
    *_OPERATORS,
    *_SIGNS,
    *("regex", "not-wildcard", "not-equals-ignore-case"),
    *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
    *("ip-address-in-range", "ip-address-not-in-range"),
}
"""What event-ruler refuses as the name of a field in a `$or`."""
