"""Event patterns, as the filters of a pipe have them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eventbridge_pipes.operators import OPERATOR_NAMES, PatternError, Test, choices
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources.kinds import SourceKind

__all__ = ["Pattern", "PatternError"]

FieldPath = tuple[str, ...]
Conditions = Mapping[FieldPath, Test | None]

MAX_ALTERNATIVES = 1000
"""AWS's bound for all combinations of the `$or` of a pattern."""

MAX_DEPTH = 100
"""Our own bound for objects in objects; AWS names none."""

DATA = {SourceKind.KINESIS: "data", SourceKind.DYNAMODB: "dynamodb", SourceKind.SQS: "body"}

_ADDED = frozenset({"eventSourceARN", "eventSourceKey", "invokeIdentityArn"})
_ADDED_UNLESS_SENT = _ADDED | {"awsRegion", "eventID", "eventName", "eventSource", "eventVersion"}
NOT_SENT = {
    SourceKind.KINESIS: _ADDED_UNLESS_SENT,
    SourceKind.DYNAMODB: _ADDED,
    SourceKind.SQS: _ADDED_UNLESS_SENT,
}
"""AWS lists these as no fields for patterns: the pipe adds them when it polls.

The records of DynamoDB's own API bring most of them, and AWS's tutorial filters by eventName:
https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-tutorial-create-dynamodb-sqs.html
"""


class Filter:
    """Lets a record through that matches any of `patterns`. Without any it is false: all pass.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = tuple(patterns)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def passes(self, record: Record) -> bool:
        return not self._patterns or any(pattern.matches(record) for pattern in self._patterns)


class Pattern:
    """A pattern, ready to run; without `$or` it has one alternative."""

    def __init__(self, alternatives: Sequence[Conditions], kind: SourceKind) -> None:
        self._alternatives = tuple(
            (_wants_json(conditions, kind), Conjunction(conditions)) for conditions in alternatives
        )
        self._looks_into_payload = any(wants is not None for wants, _ in self._alternatives)

    @classmethod
    def parse(cls, text: str, kind: SourceKind) -> Pattern:
        """Raises PatternError."""
        try:
            alternatives = _alternatives(_document(text))
            for path in itertools.chain.from_iterable(alternatives):
                _check(path, kind)
            return cls(alternatives, kind)
        except RecursionError:
            raise PatternError(_TOO_DEEP) from None

    def matches(self, record: Record) -> bool:
        try:
            return self._matches(record)
        except RecursionError:  # JSON nested deeper than Python reads it: what it holds is unknown.
            return False

    def _matches(self, record: Record) -> bool:
        if not self._looks_into_payload:
            return any(conjunction.holds(record.members) for _, conjunction in self._alternatives)
        is_json = record.has_json_payload
        return any(
            conjunction.holds(record.decoded)
            for wants_json, conjunction in self._alternatives
            if wants_json is None or wants_json is is_json
        )


def _wants_json(conditions: Conditions, kind: SourceKind) -> bool | None:
    """None if no condition is on the payload: then its format does not matter.

    AWS's tables have a record dropped whose payload is not in the format of the pattern. They say
    nothing of a `$or` with and without conditions on it: each alternative is judged by itself, as
    if it were a filter of its own.
    """
    paths = [path for path in conditions if path[0] == kind.payload]
    return any(len(path) > 1 for path in paths) if paths else None


def _check(path: FieldPath, kind: SourceKind) -> None:
    if path[0] in NOT_SENT[kind]:
        raise PatternError(
            f'"{path[0]}" is added by the pipe; patterns see only what {kind.service} itself sends'
        )
    if path == (DATA[kind],) and kind.is_stream:
        raise PatternError(f'"{path[0]}" must be an object: patterns for it must be valid JSON')


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
        return [{path: choice} for choice in choices(value, _place(path))]
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


_TOO_DEEP = f"the pattern is nested too deeply: at most {MAX_DEPTH} levels"
_TOO_COMPLEX = f"the pattern is too complex: over {MAX_ALTERNATIVES} combinations of its $or"


_NO_VALUE: Mapping[str, Any] = {}
"""Stands for a field that is missing: like an empty object, it is no leaf and has no fields."""


class Conjunction:
    """Every condition of one alternative, by path; None wants no value there, in no element.

    Raises PatternError where one path goes on below another that wants a value.
    """

    def __init__(self, conditions: Mapping[FieldPath, Test | None]) -> None:
        self._absent = tuple(path for path, test in conditions.items() if test is None)
        self._wanted = _Fields({path: test for path, test in conditions.items() if test})

    def holds(self, event: Any) -> bool:
        return self._wanted.hold(event) and not any(_present(path, event) for path in self._absent)


class _Fields:
    """What the fields of one object must be: tests of values, and fields of objects below."""

    __slots__ = ("_below", "_tests")

    def __init__(self, wanted: Mapping[FieldPath, Test]) -> None:
        tests: dict[str, Test] = {}
        below: dict[str, dict[FieldPath, Test]] = {}
        for (name, *rest), test in wanted.items():
            if rest:
                below.setdefault(name, {})[tuple(rest)] = test
            else:
                tests[name] = test
        for name in tests.keys() & below.keys():
            raise PatternError(f'"{name}" is wanted as a value and as an object at once')
        self._tests = tuple(tests.items())
        self._below = tuple((name, _Fields(fields)) for name, fields in below.items())

    def hold(self, value: Any) -> bool:
        if type(value) is list:
            return any(self._hold_in(one) for one in _elements(value) if type(one) is dict)
        return type(value) is dict and self._hold_in(value)

    def _hold_in(self, members: Mapping[str, Any]) -> bool:
        for name, test in self._tests:
            value = members.get(name, _NO_VALUE)
            if type(value) is list:
                if not any(test(one) for one in _elements(value) if type(one) is not dict):
                    return False
            elif type(value) is dict or not test(value):
                return False
        for name, fields in self._below:  # noqa: SIM110 (all() of a generator takes twice as long)
            if not fields.hold(members.get(name)):
                return False
        return True


def _present(path: FieldPath, event: Any) -> bool:
    """Whether any element of the event has a value at `path`; an object or nothing is no value."""
    level = [event]
    for name in path:
        level = [one[name] for one in _elements(level) if type(one) is dict and name in one]
    return any(type(one) is not dict for one in _elements(level))


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
