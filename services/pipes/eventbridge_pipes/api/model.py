"""botocore's service model drives the API: routes, requests, constraints and responses."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.model import OperationModel, ServiceModel, Shape

from eventbridge_pipes.api import errors
from eventbridge_pipes.api.errors import Violation

Query = Collection[tuple[str, str]]


def field_name(path: str, member: str) -> str:
    """The dotted path of a member as AWS writes it: every part starts in lower case."""
    part = member[:1].lower() + member[1:]
    return f"{path}.{part}" if path else part


class Router:
    """Finds the operation that a request asks for."""

    def __init__(self, model: ServiceModel) -> None:
        self._routes = [
            (operation.http["method"], _path_pattern(operation.http["requestUri"]), operation)
            for operation in map(model.operation_model, model.operation_names)
        ]

    def find(self, method: str, raw_path: str) -> tuple[OperationModel, dict[str, str]]:
        """The operation and its path members, percent-decoded.

        `raw_path` is the path as it was sent, so that an encoded slash stays in its member.
        """
        for its_method, pattern, operation in self._routes:
            match = pattern.fullmatch(raw_path)
            if its_method == method and match:
                return operation, {k: unquote(v) for k, v in match.groupdict().items()}
        raise errors.UnknownOperationError(
            f"EventBridge Pipes has no operation {method} {raw_path}"
        )


def _path_pattern(uri: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(uri)))


def parse_request(
    operation: OperationModel, path: Mapping[str, str], query: Query, body: bytes
) -> dict[str, Any]:
    """The input of `operation`, timestamps as seconds since the epoch, null members left out.

    Every member has the same name on the wire. Raises SerializationError for a value of the wrong
    type, and ValidationError for members that the model does not have: a member that this service
    does not know must not look accepted.
    """
    shape: Any = operation.input_shape  # every operation of this model has one
    given = _read_body(body)
    parsed: dict[str, Any] = {}
    unknown: list[str] = []
    for name, member in shape.members.items():
        value = given.pop(name, None)
        match member.serialization.get("location"):
            case "uri":
                parsed[name] = path[name]
            case "querystring":
                values = [text for key, text in query if key == name]
                if values:
                    parsed[name] = _from_query(member, values, field_name("", name))
            case _ if value is not None:
                parsed[name] = _from_json(member, value, field_name("", name), unknown)
    unknown += [field_name("", name) for name in given]
    if unknown:
        reason = "the model of this API has no such member"
        raise errors.ValidationError.of(
            [Violation(field, f"Unknown member '{field}': {reason}") for field in unknown]
        )
    return parsed


def _read_body(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body or b"{}", parse_constant=_refuse_constant)
    except ValueError as error:
        raise errors.SerializationError(f"The request's body is not JSON: {error}") from error
    except RecursionError as error:
        raise errors.SerializationError("The request's body is nested too deeply") from error
    if not isinstance(given, dict):
        raise errors.SerializationError("The request's body is not a JSON object")
    return given


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON value")


def _from_query(shape: Shape, values: list[str], path: str) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name != "integer":
        return values[-1]
    try:
        return int(values[-1])
    except ValueError:
        raise errors.SerializationError(f"{path} must be an integer") from None


_JSON_TYPES = {"string": str, "integer": int, "boolean": bool, "list": list}
"""A structure and a map are JSON objects."""


def _from_json(shape: Any, value: Any, path: str, unknown: list[str]) -> Any:
    """`value` as the operations take it; `unknown` gets what the model does not have."""
    kind = shape.type_name
    if kind == "timestamp":
        return _timestamp(value, path)
    json_type: Any = _JSON_TYPES.get(kind, dict)
    # A bool is an int to Python, but not to JSON.
    if not isinstance(value, json_type) or isinstance(value, bool) != (kind == "boolean"):
        raise errors.SerializationError(f"{path} must be a JSON value of type {kind}")
    if kind == "structure":
        unknown += [field_name(path, name) for name in value if name not in shape.members]
        return {
            name: _from_json(member, value[name], field_name(path, name), unknown)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [
            _from_json(shape.member, item, f"{path}.{number}.member", unknown)
            for number, item in enumerate(value, start=1)
        ]
    if kind == "map":
        return {
            key: _from_json(shape.value, item, f"{path}.{key}", unknown)
            for key, item in value.items()
        }
    return value


def _timestamp(value: Any, path: str) -> float:
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).timestamp()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    raise errors.SerializationError(
        f"{path} must be a timestamp: seconds since the epoch, or ISO 8601"
    )


def validate(shape: Any, value: Any) -> None:
    """Raises ValidationError that lists every constraint of `shape` that `value` breaks."""
    if violations := list(violations_of(shape, value)):
        plural = "" if len(violations) == 1 else "s"
        raise errors.ValidationError.of(
            violations, f"{len(violations)} validation error{plural} detected: "
        )


def violations_of(shape: Any, value: Any, path: str = "") -> Iterator[Violation]:
    """Each broken constraint of `value` and of what is in it, in the model's order."""
    for constraint in _broken(shape, value):
        yield _violation(shape, value, path, constraint)
    if shape.type_name == "structure":
        yield from _in_structure(shape, value, path)
    elif shape.type_name == "list":
        for number, item in enumerate(value, start=1):
            yield from violations_of(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "map":
        for key, item in value.items():
            for constraint in _broken(shape.key, key):
                yield _violation(shape, value, path, f"Map keys must satisfy: [{constraint}]")
            yield from violations_of(shape.value, item, f"{path}.{key}.member")


def _in_structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[Violation]:
    for name in shape.metadata.get("required", ()):
        if name not in value:
            where = field_name(path, name)
            failed = f"Value null at '{where}' failed to satisfy constraint"
            yield Violation(where, f"{failed}: Member must not be null")
    for name, member in shape.members.items():
        if name in value:
            yield from violations_of(member, value[name], field_name(path, name))


def _broken(shape: Any, value: Any) -> Iterator[str]:
    limits = shape.metadata
    if shape.type_name == "integer":
        size, what = value, "value"
    elif shape.type_name in ("string", "list", "map"):
        size, what = len(value), "length"
    else:
        if limits.get("union") and len(value) != 1:
            yield f"Member must have exactly one of: [{', '.join(shape.members)}]"
        return
    if size < limits.get("min", size):
        yield f"Member must have {what} greater than or equal to {limits['min']}"
    if size > limits.get("max", size):
        yield f"Member must have {what} less than or equal to {limits['max']}"
        return  # on a text that is too long some patterns of the model take minutes
    if "enum" in limits and value not in limits["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]"
    if "pattern" in limits and not java_pattern(limits["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"


_PATTERN_PART = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])+\]|\.|.", re.DOTALL)
"""An escaped character, a class of characters, a dot, any other character."""

_JAVA_DOT = r"[^\n\r\u0085\u2028\u2029]"
"""What a dot matches in Java; in Python it matches all but the first of these."""


@cache
def java_pattern(pattern: str) -> re.Pattern[str]:
    r"""A pattern of AWS's models, which are written for Java; to be used with `fullmatch`.

    `\w`, `\d` and `\s` match ASCII alone, as in Java.
    """
    parts = _PATTERN_PART.findall(pattern)
    return re.compile("".join(_JAVA_DOT if part == "." else part for part in parts), re.ASCII)


def _violation(shape: Any, value: Any, path: str, constraint: str) -> Violation:
    # AWS leaves the value out of the message where the model calls it sensitive.
    shown = "" if _is_sensitive(shape) else f" '{value}'"
    return Violation(path, f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}")


def _is_sensitive(shape: Any) -> bool:
    """Whether the value of `shape` is sensitive, or a value in it: a map of tags shows them."""
    if shape.metadata.get("sensitive"):
        return True
    match shape.type_name:
        case "list":
            return _is_sensitive(shape.member)
        case "map":
            return _is_sensitive(shape.key) or _is_sensitive(shape.value)
        case "structure":
            return any(map(_is_sensitive, shape.members.values()))
    return False


def serialise_response(operation: OperationModel, result: Mapping[str, Any]) -> bytes:
    """The response body: exactly the members that the output shape has and `result` gives."""
    shape = operation.output_shape
    return json.dumps(_to_json(shape, result) if shape else {}).encode()


def _to_json(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {
            name: _to_json(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [_to_json(shape.member, item) for item in value]
    return dict(value) if shape.type_name == "map" else value
