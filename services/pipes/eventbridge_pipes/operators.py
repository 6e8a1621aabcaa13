"""The rules that a pattern has for one field: `["a", {"prefix": "b"}, null]`.

Only what AWS's table of operators marks as supported by pipes is carried out:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Test = Callable[[Any], bool]
"""Of one value of the event, neither an object nor an array."""

Operator = Callable[[Any, str], Test]
"""Takes its operand and the place of it in the pattern, for a PatternError."""

LIMIT = 5_000_000_000
DECIMALS = 6
"""What numbers can be compared: from -LIMIT to LIMIT, with so many digits after the point."""

NOT_OF_PIPES = frozenset({"cidr", "exactly", "wildcard"})


class PatternError(ValueError):
    """The pattern is refused; the text names the place in it and the reason."""


def choices(rules: Sequence[Any], where: str) -> list[Test | None]:
    """What a field may be: a test for its values, None for a field that must not be there.

    Both come of rules such as `["a", {"exists": false}]`. Raises PatternError.
    """
    if not rules:
        raise PatternError(f"{where}: an empty array matches nothing")
    exact = [rule for rule in rules if not isinstance(rule, dict | list)]
    tests: list[Test] = [_equal_to(exact)] if exact else []
    found: list[Test | None] = []
    for rule in rules:
        if isinstance(rule, list):
            raise PatternError(f"{where}: an array cannot hold an array")
        if isinstance(rule, dict):
            test = _of_operator(rule, where)
            if test is not None:
                tests.append(test)
            elif None not in found:
                found.append(None)
    return [_any_of(tests), *found] if tests else found


def _of_operator(rule: Mapping[str, Any], where: str) -> Test | None:
    if len(rule) != 1:
        raise PatternError(f"{where}: a rule has exactly one operator, not {len(rule)}")
    ((name, operand),) = rule.items()
    if name in NOT_OF_PIPES:
        raise PatternError(f'{where}: EventBridge Pipes does not support the operator "{name}"')
    if name == "exists":
        return _exists(operand, where)
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
    strings = frozenset(value for value in values if isinstance(value, str))
    if len(strings) == len(values):
        return strings.__contains__
    numbers = frozenset(value for value in values if _is_number(value))
    wanted: dict[type, frozenset[Any]] = {
        str: strings,
        int: numbers,
        float: numbers,
        bool: frozenset(value for value in values if isinstance(value, bool)),
        type(None): frozenset([None] if None in values else []),
    }
    return lambda value: value in wanted[type(value)]


def _exists(operand: Any, where: str) -> Test | None:
    if not isinstance(operand, bool):
        raise PatternError(f"{where}: exists takes true or false")
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
    text = _text(operand, where).casefold()
    return lambda value: isinstance(value, str) and value.casefold() == text


def _affix(found_in: Callable[[str, str], bool]) -> Operator:
    def of(operand: Any, where: str) -> Test:
        if isinstance(operand, dict):
            folded = _ignoring_case(operand, where)
            return lambda value: isinstance(value, str) and found_in(value.casefold(), folded)
        text = _text(operand, where)
        return lambda value: isinstance(value, str) and found_in(value, text)

    return of


def _numeric(operand: Any, where: str) -> Test:
    """`["=", 1]`, one bound such as `["<", 1]`, or both, the lower one first."""
    low, high, above, below = -LIMIT, LIMIT, operator.ge, operator.le
    match operand:
        case ["=", number]:
            low = high = _comparable(number, where)
        case [(">" | ">=") as sign, number]:
            low, above = _comparable(number, where), _SIGNS[sign]
        case [("<" | "<=") as sign, number]:
            high, below = _comparable(number, where), _SIGNS[sign]
        case [(">" | ">=") as sign, number, ("<" | "<=") as upper_sign, upper]:
            low, above = _comparable(number, where), _SIGNS[sign]
            high, below = _comparable(upper, where), _SIGNS[upper_sign]
            if low >= high:
                raise PatternError(f"{where}: no number lies in an empty range")
        case _:
            raise PatternError(
                f'{where} takes an array such as ["=", 1], [">", 0] or [">", 0, "<=", 5]'
            )

    def test(value: Any) -> bool:
        # Further digits of an event's number: undocumented, here rounded away.
        return (
            _is_number(value)
            and above(round(value, DECIMALS), low)
            and below(round(value, DECIMALS), high)
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


def _ignoring_case(operand: Mapping[str, Any], where: str) -> str:
    if list(operand) != ["equals-ignore-case"]:
        raise PatternError(f"{where} takes a string, or an object with only equals-ignore-case")
    return _text(operand["equals-ignore-case"], f"{where}: equals-ignore-case").casefold()


def _text(operand: Any, where: str) -> str:
    if not isinstance(operand, str):
        raise PatternError(f"{where} takes a string")
    return operand


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_SIGNS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_OPERATORS: Mapping[str, Operator] = {
    "anything-but": _anything_but,
    "equals-ignore-case": _equals_ignore_case,
    "numeric": _numeric,
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
}
OPERATOR_NAMES = NOT_OF_PIPES | {"exists", *_OPERATORS}
