"""The evaluator that the tests of permissions rely on: IAM's rules, as far as policies use them."""

from __future__ import annotations

from typing import Any

import pytest

from iam.evaluation import Need, allowed

READ = Need("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:1:table/t")


def statement(effect: str = "Allow", **parts: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "dynamodb:GetItem", "Resource": READ.resource, **parts}


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return statement(Condition={operator: {key: list(values)}})


def test_what_nothing_allows_is_denied() -> None:
    assert not allowed([], READ)


def test_what_is_allowed_and_denied_is_denied() -> None:
    assert not allowed([statement(), statement("Deny")], READ)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, True),
        ({"Action": ["dynamodb:PutItem", "dynamodb:GetItem"]}, True),
        ({"Action": "DynamoDB:getitem"}, True),
        ({"Action": "dynamodb:Get*"}, True),
        ({"Action": "dynamodb:GetIte"}, False),
        ({"Action": "dynamodb:PutItem"}, False),
        ({"Resource": "*"}, True),
        ({"Resource": ["arn:other", "arn:aws:dynamodb:*:1:table/t"]}, True),
        ({"Resource": "arn:aws:dynamodb:us-east-1:1:table/?"}, True),
        ({"Resource": "arn:aws:dynamodb:us-east-1:1:table/T"}, False),
        ({"Resource": "arn:aws:dynamodb:us.east.1:1:table/t"}, False),
        ({"Resource": "arn:aws:dynamodb:us-east-1:1:table/"}, False),
    ],
)
def test_action_and_resource_have_to_match(parts: dict[str, Any], expected: bool) -> None:
    assert allowed([statement(**parts)], READ) is expected


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        (when("StringEquals", "k", "a", "b"), {"k": "b"}, True),
        (when("StringEquals", "k", "a*"), {"k": "ab"}, False),
        (when("StringEquals", "k", "a"), {}, False),
        (when("StringEqualsIfExists", "k", "a"), {}, True),
        (when("StringEqualsIfExists", "k", "a"), {"k": "b"}, False),
        (when("ArnLike", "k", "arn:*:x"), {"k": "arn:1:x"}, True),
        (when("ArnEquals", "k", "arn:*:x"), {"k": "arn:1:x"}, True),
        (when("ArnEquals", "k", "arn:*:x"), {"k": "arn:1:y"}, False),
        (when("Bool", "k", "false"), {"k": "false"}, True),
    ],
)
def test_each_condition_has_to_hold(
    condition: dict[str, Any], context: dict[str, str], expected: bool
) -> None:
    assert allowed([condition], Need(READ.action, READ.resource, context)) is expected


@pytest.mark.parametrize("unknown", [when("NumericLessThan", "k", "1"), statement(NotAction="a:B")])
def test_an_unknown_condition_is_an_error(unknown: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        allowed([unknown], READ)
