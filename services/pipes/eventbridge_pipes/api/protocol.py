"""rest-json as botocore's service model describes it: requests in, responses out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from botocore.model import OperationModel, ServiceModel, Shape

from eventbridge_pipes.api.errors import (
    SerializationError,
    UnknownOperationError,
    ValidationError,
    Violation,
)

Query = Iterable[tuple[str, str]]


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
        raise UnknownOperationError(method, raw_path)


def _path_pattern(uri: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(uri)))


def parse_request(
    operation: OperationModel, path: Mapping[str, str], query: Query, body: bytes
) -> dict[str, Any]:
    """The input of `operation`, timestamps as seconds since the epoch, null members left out.

    Raises SerializationError when a type is wrong, ValidationError on members that the model has
    not: a member that this service does not know must not be taken for carried out.
    """
    shape: Any = operation.input_shape  # every operation of this model has one
    given = _read_body(body)
    parsed: dict[str, Any] = {}
    unknown: list[Violation] = []
    pairs = list(query)
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if location == "uri":
            parsed[name] = path[wire_name]
        elif location == "querystring":
            values = [value for key, value in pairs if key == wire_name]
            if values:
                parsed[name] = _from_query(member, values, field_name("", name))
        elif given.get(wire_name) is not None:
            value = given.pop(wire_name)
            parsed[name] = _from_json(member, value, field_name("", name), unknown)
        else:
            given.pop(wire_name, None)
    unknown += [_unknown_member(field_name("", name)) for name in given]
    if unknown:
        raise ValidationError("; ".join(v.message for v in unknown), unknown)
    return parsed


def _read_body(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        given = json.loads(body, parse_constant=_refuse_constant)
    except ValueError as error:
        raise SerializationError(f"The request's body is not JSON: {error}") from error
    except RecursionError as error:
        raise SerializationError("The request's body is nested too deeply") from error
    if not isinstance(given, dict):
        raise SerializationError("The request's body is not a JSON object")
    return given


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON value")


def _from_query(shape: Shape, values: list[str], path: str) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name == "integer":
        try:
            return int(values[-1])
        except ValueError:
            raise SerializationError(f"{path} must be an integer") from None
    return values[-1]


_JSON_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "structure": dict,
    "map": dict,
    "list": list,
}


def _from_json(shape: Any, value: Any, path: str, unknown: list[Violation]) -> Any:
    kind = shape.type_name
    if kind == "timestamp":
        return _timestamp(value, path)
    _check_type(kind, value, path)
    if kind == "structure":
        unknown += [
            _unknown_member(field_name(path, name)) for name in value if name not in shape.members
        ]
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


def _check_type(kind: str, value: Any, path: str) -> None:
    # A bool is an int to Python, but not to JSON.
    if not isinstance(value, _JSON_TYPES[kind]) or isinstance(value, bool) != (kind == "boolean"):
        raise SerializationError(f"{path} must be a JSON value of type {kind}")


def _timestamp(value: Any, path: str) -> float:
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).timestamp()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    raise SerializationError(f"{path} must be a timestamp: seconds since the epoch, or ISO 8601")


def _unknown_member(path: str) -> Violation:
    return Violation(path, f"Unknown member '{path}': the model of this API has no such member")


def serialise_response(operation: OperationModel, result: Mapping[str, Any]) -> bytes:
    """The response body: exactly the members that the output shape has and `result` gives."""
    shape = operation.output_shape
    return json.dumps(_to_json(shape, result) if shape else {}).encode()


def _to_json(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {
            member.serialization.get("name", name): _to_json(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [_to_json(shape.member, item) for item in value]
    return value if not isinstance(value, Mapping) else dict(value)
