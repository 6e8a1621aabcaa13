"""Whether an event holds what a pattern wants of it: run for every record, so compiled and flat.

A field whose value is an array holds each of its elements, however deep arrays nest. Two fields
inside one array must be in the same element of it; what is wanted absent may be in none.
https://github.com/aws/event-ruler#json-array-matching
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eventbridge_pipes.events.operators import PatternError, Test

FieldPath = tuple[str, ...]

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
