"""IAM's decision on one action: what a policy allows, what it denies, and all else is denied.

What is here is what our policies use, by the rules of
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Need:
    """An action on a resource, and what IAM knows of the request."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.action, self.resource, tuple(sorted(self.context.items()))))


def allowed(statements: Iterable[Mapping[str, Any]], need: Need) -> bool:
    """Whether something allows it, and nothing denies it."""
    effects = {each["Effect"] for each in statements if _applies(each, need)}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], need: Need) -> bool:
    unknown = statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}
    if unknown:
        raise NotImplementedError(f"statements with {', '.join(sorted(unknown))}")
    return (
        any(_like(each.lower(), need.action.lower()) for each in _listed(statement["Action"]))
        and any(_like(each, need.resource) for each in _listed(statement["Resource"]))
        and all(
            _holds(operator, key, _listed(values), need.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, key: str, values: Sequence[str], context: Mapping[str, str]) -> bool:
    """One of the values is enough; a key that the request lacks is enough for IfExists alone."""
    name = operator.removesuffix("IfExists")
    if name not in _OPERATORS:
        raise NotImplementedError(f"the condition operator {operator}")
    if key not in context:
        return name != operator
    return any(_OPERATORS[name](value, context[key]) for value in values)


def _equal(value: str, given: str) -> bool:
    return value == given


def _like(pattern: str, text: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """In IAM `*` is any text, `?` any one character, and nothing else is special."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(each) or re.escape(each) for each in pattern), re.DOTALL)


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "ArnEquals": _like,  # IAM's two operators for ARNs are the same
    "ArnLike": _like,
    "Bool": _equal,
}


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value
