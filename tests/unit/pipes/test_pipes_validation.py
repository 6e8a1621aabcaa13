"""Every constraint of botocore's model, at its bound and one beyond."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from eventbridge_pipes.api.errors import ValidationError
from eventbridge_pipes.api.java_patterns import compiled
from eventbridge_pipes.api.validation import validate, violations_of

MODEL = ServiceModel(Loader().load_service_model("pipes", "service-2"), "pipes")


@cache
def input_shapes() -> dict[str, Any]:
    """All shapes that a request can hold, by name."""
    found: dict[str, Any] = {}

    def visit(shape: Any) -> None:
        if shape.name in found:
            return
        found[shape.name] = shape
        for inner in _inside(shape):
            visit(inner)

    for name in MODEL.operation_names:
        visit(MODEL.operation_model(name).input_shape)
    return found


def _inside(shape: Any) -> Iterator[Any]:
    if shape.type_name == "structure":
        yield from shape.members.values()
    elif shape.type_name == "list":
        yield shape.member
    elif shape.type_name == "map":
        yield from (shape.key, shape.value)


def limited(bound: str) -> list[Any]:
    return [shape for shape in input_shapes().values() if bound in shape.metadata]


def of_size(shape: Any, size: int) -> Any:
    """A value whose length, or itself, is `size`; it may break other constraints."""
    match shape.type_name:
        case "integer":
            return size
        case "string":
            return "a" * size
        case "list":
            return ["a"] * size
        case "map":
            return {f"key {number}": "a" for number in range(size)}
    raise AssertionError(shape.type_name)


def broken(shape: Any, value: Any) -> str:
    own = [v.message for v in violations_of(shape, value, "here") if v.field == "here"]
    return "; ".join(own)


def names(shapes: list[Any]) -> list[str]:
    return [shape.name for shape in shapes]


@pytest.mark.parametrize("name", names(limited("max")))
def test_a_maximum_may_be_reached_but_not_passed(name: str) -> None:
    shape = input_shapes()[name]
    maximum = shape.metadata["max"]
    assert "less than or equal" not in broken(shape, of_size(shape, maximum))
    too_much = broken(shape, of_size(shape, maximum + 1))
    assert f"less than or equal to {maximum}" in too_much


@pytest.mark.parametrize("name", names([s for s in limited("min") if s.metadata["min"] != 0]))
def test_a_minimum_must_be_reached(name: str) -> None:
    shape = input_shapes()[name]
    minimum = shape.metadata["min"]
    assert "greater than or equal" not in broken(shape, of_size(shape, minimum))
    too_little = broken(shape, of_size(shape, minimum - 1))
    assert f"greater than or equal to {minimum}" in too_little


@pytest.mark.parametrize("name", names(limited("enum")))
def test_an_enum_takes_its_values_and_no_other(name: str) -> None:
    shape = input_shapes()[name]
    for value in shape.metadata["enum"]:
        assert broken(shape, value) == ""
        assert "enum value set" in broken(shape, value.lower() + "?")


@pytest.mark.parametrize("name", names(limited("required")))
def test_every_required_member_must_be_there(name: str) -> None:
    shape = input_shapes()[name]
    missing = {violation.field for violation in violations_of(shape, {})}
    assert missing == {member[0].lower() + member[1:] for member in shape.metadata["required"]}


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
    shape = input_shapes()[name]
    for value in good:
        assert broken(shape, value) == ""
    for value in bad:
        assert "regular expression pattern" in broken(shape, value)


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
    shape = input_shapes()["SelfManagedKafkaAccessConfigurationCredentials"]
    assert "exactly one of" in broken(shape, given)
    assert broken(shape, {"BasicAuth": "a"}) == ""


@pytest.mark.parametrize("end_of_line", ["\n", "\r", "\u0085", "\u2028", "\u2029"])
def test_a_dot_in_a_pattern_stands_for_no_end_of_line_as_in_java(end_of_line: str) -> None:
    assert compiled(r"a.c").fullmatch("abc")
    assert not compiled(r"a.c").fullmatch(f"a{end_of_line}c")
    assert compiled(r"a[.]c|a\.c").fullmatch("a.c")
    assert not compiled(r"a[.]c|a\.c").fullmatch("abc")


def test_a_request_that_satisfies_the_model_passes() -> None:
    validate(MODEL.operation_model("ListPipes").input_shape, {"Limit": 100, "NamePrefix": "a"})


_ROLE = "arn:aws:iam::000000000000:role/pipe"
