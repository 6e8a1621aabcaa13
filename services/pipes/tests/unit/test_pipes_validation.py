"""How violations are told; conformance/test_api_constraints.py tries every constraint."""

from __future__ import annotations

from typing import Any

import pytest

from eventbridge_pipes.api.errors import ValidationError
from eventbridge_pipes.api.java_patterns import compiled
from eventbridge_pipes.api.validation import validate, violations_of
from pipes_shapes import MODEL


def broken(name: str, value: Any) -> str:
    """What `value` breaks of the shape called `name`, not of what is inside it."""
    found = violations_of(MODEL.shape_for(name), value, "here")
    return "; ".join(violation.message for violation in found if violation.field == "here")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("PipeName", ["a", "a-b_c.D9"], ["a b", "a/b", "ä", "a\n"]),
        ("PipeDescription", ["", "anything at all"], ["two\nlines"]),
        (
            "RoleArn",
            ["arn:aws:iam::000000000000:role/pipe", "arn:aws-cn:iam::000000000000:role/a/b"],
            ["pipe", "arn:aws:iam::0:role/pipe", "arn:aws:iam::000000000000:user/pipe"],
        ),
        (
            "ArnOrUrl",
            ["arn:aws:kinesis:us-east-1:000000000000:stream/s", "smk://host.example:9092"],
            ["stream/s", "https://example.com", "arn:aws:kinesis:us_east:0:stream/s"],
        ),
        ("OptionalArn", ["", "arn:aws:lambda:us-east-1:000000000000:function:f"], ["f"]),
    ],
)
def test_a_pattern_is_matched_from_end_to_end(name: str, good: list[str], bad: list[str]) -> None:
    for value in good:
        assert broken(name, value) == ""
    for value in bad:
        assert "regular expression pattern" in broken(name, value)


def test_all_violations_are_in_one_error_with_the_fields_named() -> None:
    request = {
        "Name": "a b",
        "Source": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
        "RoleArn": "nobody",
        "SourceParameters": {"KinesisStreamParameters": {"BatchSize": 10_001}},
        "Tags": {"k" * 129: "v" * 257},
    }
    with pytest.raises(ValidationError) as raised:
        validate(MODEL.operation_model("CreatePipe").input_shape, request)
    assert [field["name"] for field in raised.value.members["fieldList"]] == [
        "target",
        "name",
        "sourceParameters.kinesisStreamParameters.startingPosition",
        "sourceParameters.kinesisStreamParameters.batchSize",
        "roleArn",
        "tags",
        f"tags.{'k' * 129}.member",
    ]
    message = str(raised.value)
    assert message.startswith("7 validation errors detected: Value null at 'target' failed")
    assert "Value '10001' at 'sourceParameters.kinesisStreamParameters.batchSize'" in message


def test_a_value_that_the_model_calls_sensitive_is_not_shown() -> None:
    shape = MODEL.operation_model("UpdatePipe").input_shape
    with pytest.raises(ValidationError) as raised:
        validate(shape, {"Name": "p", "RoleArn": _ROLE, "Description": "secret" * 100})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "tags", [{"k" * 129: "secret"}, {str(number): "secret" for number in range(51)}]
)
def test_nor_is_what_holds_a_sensitive_value(tags: dict[str, str]) -> None:
    shape = MODEL.operation_model("TagResource").input_shape
    with pytest.raises(ValidationError) as raised:
        validate(shape, {"resourceArn": "arn:aws:pipes:us-east-1::pipe/p", "tags": tags})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("given", [{}, {"BasicAuth": "a", "SaslScram512Auth": "b"}])
def test_of_a_union_exactly_one_member_is_given(given: dict[str, str]) -> None:
    union = "SelfManagedKafkaAccessConfigurationCredentials"
    assert "exactly one of" in broken(union, given)
    assert broken(union, {"BasicAuth": "a"}) == ""


@pytest.mark.parametrize("end_of_line", ["\n", "\r", "\u0085", "\u2028", "\u2029"])
def test_a_dot_in_a_pattern_stands_for_no_end_of_line_as_in_java(end_of_line: str) -> None:
    assert compiled(r"a.c").fullmatch("abc")
    assert not compiled(r"a.c").fullmatch(f"a{end_of_line}c")
    assert compiled(r"a[.]c|a\.c").fullmatch("a.c")
    assert not compiled(r"a[.]c|a\.c").fullmatch("abc")


def test_a_request_that_satisfies_the_model_passes() -> None:
    validate(MODEL.operation_model("ListPipes").input_shape, {"Limit": 100, "NamePrefix": "a"})


_ROLE = "arn:aws:iam::000000000000:role/pipe"


def test_a_text_that_is_too_long_is_not_held_against_its_pattern() -> None:
    """This one would take minutes, in which no pipe would move a record."""
    found = broken("EventBridgeEventSource", "a" * 100_000)
    assert "length less than or equal to 256" in found
    assert "regular expression" not in found
