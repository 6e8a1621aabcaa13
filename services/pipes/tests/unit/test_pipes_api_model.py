"""botocore's model: routes, requests, constraints and responses.

conformance/test_api_constraints.py tries every constraint.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from eventbridge_pipes.api.model import (
    Reader,
    SerializationError,
    UnknownOperationError,
    ValidationError,
    find_operation,
    java_pattern,
    parse_request,
    to_json,
)
from pipes_requests import ROLE, definition
from pipes_shapes import MODEL


def parse(
    operation: str, path: dict[str, str], body: Any = None, query: str = ""
) -> dict[str, Any]:
    encoded = b"" if body is None else json.dumps(body).encode()
    return parse_request(MODEL.operation_model(operation), path, QueryParams(query), encoded)


def created(**members: Any) -> dict[str, Any]:
    """What is read of a CreatePipe request with these members, beside those that it needs."""
    body = definition(**members)
    return parse("CreatePipe", {"Name": body.pop("Name")}, body)


@pytest.mark.parametrize(
    ("method", "path", "operation", "members"),
    [
        ("POST", "/v1/pipes/a", "CreatePipe", {"Name": "a"}),
        ("GET", "/v1/pipes/a", "DescribePipe", {"Name": "a"}),
        ("PUT", "/v1/pipes/a", "UpdatePipe", {"Name": "a"}),
        ("DELETE", "/v1/pipes/a", "DeletePipe", {"Name": "a"}),
        ("GET", "/v1/pipes", "ListPipes", {}),
        ("POST", "/v1/pipes/a/start", "StartPipe", {"Name": "a"}),
        ("POST", "/v1/pipes/a/stop", "StopPipe", {"Name": "a"}),
        ("GET", "/tags/arn%3Apipe%2Fa", "ListTagsForResource", {"resourceArn": "arn:pipe/a"}),
        ("POST", "/tags/arn%3Apipe%2Fa", "TagResource", {"resourceArn": "arn:pipe/a"}),
        ("DELETE", "/tags/arn%3Apipe%2Fa", "UntagResource", {"resourceArn": "arn:pipe/a"}),
        ("GET", "/v1/pipes/a%2Fb", "DescribePipe", {"Name": "a/b"}),
    ],
)
def test_each_operation_is_found_by_its_method_and_path(
    method: str, path: str, operation: str, members: dict[str, str]
) -> None:
    found, decoded = find_operation(MODEL, method, path)
    assert (found.name, decoded) == (operation, members)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("PATCH", "/v1/pipes/a"), ("GET", "/v1/pipes/"), ("POST", "/v1/pipes/a/pause")],
)
def test_what_no_operation_answers_is_said_to_be_unknown(method: str, path: str) -> None:
    with pytest.raises(UnknownOperationError):
        find_operation(MODEL, method, path)


def test_members_come_from_path_query_and_body() -> None:
    assert created() == definition()
    query = "Limit=7&NamePrefix=a"
    assert parse("ListPipes", {}, query=query) == {"Limit": 7, "NamePrefix": "a"}
    path = {"resourceArn": "arn:aws:pipes:us-east-1:000000000000:pipe/p"}
    untagged = parse("UntagResource", path, query="tagKeys=a&tagKeys=b")
    assert untagged == {**path, "tagKeys": ["a", "b"]}


def test_null_members_are_as_if_left_out() -> None:
    read = created(Description=None, SourceParameters={"SqsQueueParameters": None})
    assert read == definition(SourceParameters={})


@pytest.mark.parametrize("timestamp", [1700000000.5, "2023-11-14T22:13:20.500Z"])
def test_a_timestamp_is_seconds_since_the_epoch(timestamp: float | str) -> None:
    stream = {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": timestamp}
    parsed = created(SourceParameters={"KinesisStreamParameters": stream})["SourceParameters"]
    assert parsed["KinesisStreamParameters"]["StartingPositionTimestamp"] == 1700000000.5


def test_unknown_members_are_refused_by_name_however_deep() -> None:
    body = {
        "Sauce": 1,
        "SourceParameters": {"KinesisStreamParameters": {"StartingPosition": "LATEST", "Speed": 2}},
    }
    with pytest.raises(ValidationError) as raised:
        parse("CreatePipe", {"Name": "a"}, body)
    assert {field["name"] for field in raised.value.members["fieldList"]} == {
        "sauce",
        "sourceParameters.kinesisStreamParameters.speed",
    }


@pytest.mark.parametrize(
    "body",
    [
        {"Source": 1},
        {"Source": ["s"]},
        {"SourceParameters": "none"},
        {"SourceParameters": {"KinesisStreamParameters": {"BatchSize": "10"}}},
        {"SourceParameters": {"KinesisStreamParameters": {"BatchSize": True}}},
        {"SourceParameters": {"KinesisStreamParameters": {"BatchSize": 1.5}}},
        {"SourceParameters": {"KinesisStreamParameters": {"StartingPositionTimestamp": "noon"}}},
        {"SourceParameters": {"KinesisStreamParameters": {"StartingPositionTimestamp": 1e300}}},
        {"SourceParameters": {"KinesisStreamParameters": {"StartingPositionTimestamp": True}}},
        {"SourceParameters": {"FilterCriteria": {"Filters": {}}}},
        {"Tags": {"a": 1}},
        [],
        "text",
    ],
)
def test_a_value_of_the_wrong_type_cannot_be_read(body: Any) -> None:
    with pytest.raises(SerializationError):
        parse("CreatePipe", {"Name": "a"}, body)


@pytest.mark.parametrize("body", [b"{", b'{"Source": NaN}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_json_cannot_be_read(body: bytes) -> None:
    with pytest.raises(SerializationError):
        parse_request(MODEL.operation_model("CreatePipe"), {"Name": "a"}, QueryParams(), body)


def test_a_limit_that_is_no_number_cannot_be_read() -> None:
    with pytest.raises(SerializationError):
        parse("ListPipes", {}, query="Limit=many")


def test_a_response_has_the_members_of_the_output_shape_only() -> None:
    result = {"Name": "a", "Arn": None, "Secret": "x", "CreationTime": 1700000000.5}
    answer = to_json(MODEL.operation_model("DescribePipe").output_shape, result)
    assert answer == {"Name": "a", "CreationTime": 1700000000.5}


def test_an_operation_without_output_answers_an_empty_object() -> None:
    assert to_json(MODEL.operation_model("TagResource").output_shape, {}) == {}


def broken(name: str, value: Any) -> str:
    """What `value` breaks of the shape called `name`, not of what is inside it."""
    reader = Reader()
    reader.read(MODEL.shape_for(name), value, "here")
    return "; ".join(message for field, message in reader.broken if field == "here")


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
    body = {
        "Source": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
        "RoleArn": "nobody",
        "SourceParameters": {"KinesisStreamParameters": {"BatchSize": 10_001}},
        "Tags": {"k" * 129: "v" * 257},
    }
    with pytest.raises(ValidationError) as raised:
        parse("CreatePipe", {"Name": "a b"}, body)
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
    body = {"RoleArn": ROLE, "Description": "secret" * 100}
    with pytest.raises(ValidationError) as raised:
        parse("UpdatePipe", {"Name": "p"}, body)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "tags", [{"k" * 129: "secret"}, {str(number): "secret" for number in range(51)}]
)
def test_nor_is_what_holds_a_sensitive_value(tags: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as raised:
        parse("TagResource", {"resourceArn": "arn:aws:pipes:us-east-1::pipe/p"}, {"tags": tags})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("given", [{}, {"BasicAuth": "a", "SaslScram512Auth": "b"}])
def test_of_a_union_exactly_one_member_is_given(given: dict[str, str]) -> None:
    union = "SelfManagedKafkaAccessConfigurationCredentials"
    assert "exactly one of" in broken(union, given)
    assert broken(union, {"BasicAuth": "a"}) == ""


@pytest.mark.parametrize("end_of_line", ["\n", "\r", "\u0085", "\u2028", "\u2029"])
def test_a_dot_in_a_pattern_stands_for_no_end_of_line_as_in_java(end_of_line: str) -> None:
    assert java_pattern(r"a.c").fullmatch("abc")
    assert not java_pattern(r"a.c").fullmatch(f"a{end_of_line}c")
    assert java_pattern(r"a[.]c|a\.c").fullmatch("a.c")
    assert not java_pattern(r"a[.]c|a\.c").fullmatch("abc")


def test_a_request_that_satisfies_the_model_passes() -> None:
    parse("ListPipes", {}, query="Limit=100&NamePrefix=a")


def test_a_text_that_is_too_long_is_not_held_against_its_pattern() -> None:
    """This one would take minutes, in which no pipe would move a record."""
    found = broken("EventBridgeEventSource", "a" * 100_000)
    assert "length less than or equal to 256" in found
    assert "regular expression" not in found
