"""botocore's service model drives the API: operations, requests, constraints and responses.

The errors are those of `pipes/2015-10-07`; each is defined where it is raised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from botocore.model import OperationModel, ServiceModel, Shape

if TYPE_CHECKING:  # `apply` runs where it is not installed
    from starlette.datastructures import QueryParams

Members = Mapping[str, Any]
"""Of a structure, by their names."""


class Violation(NamedTuple):
    """A constraint that one member of a request does not satisfy."""

    field: str
    message: str


class ApiError(Exception):
    """An answer other than success; `members` are those of the error's shape."""

    code: str
    status: int

    def __init_subclass__(cls, code: str, status: int) -> None:
        cls.code, cls.status = code, status

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__(message)
        self.members: dict[str, Any] = {"message": message, **members}


class ValidationError(ApiError, code="ValidationException", status=400):
    """The request breaks the model or a rule; every violation is listed."""

    def __init__(self, violations: Sequence[Violation], prefix: str = "") -> None:
        listed = [{"name": field, "message": message} for field, message in violations]
        super().__init__(prefix + "; ".join(v.message for v in violations), fieldList=listed)


class SerializationError(ApiError, code="SerializationException", status=400):
    """The request's body or query cannot be read as the operation's input."""


class UnknownOperationError(ApiError, code="UnknownOperationException", status=404):
    """No operation has this method and path."""


def field_name(path: str, member: str) -> str:
    """The dotted path of a member as AWS writes it: every part starts in lower case."""
    part = member[:1].lower() + member[1:]
    return f"{path}.{part}" if path else part


def find_operation(model: ServiceModel, method: str, path: str) -> tuple[OperationModel, Members]:
    """The operation that a request asks for, and its path members, percent-decoded.

    `path` is the path as it was sent, so that an encoded slash stays in its member. An endpoint
    may have a path of its own, which comes first.
    """
    for operation in map(model.operation_model, model.operation_names):
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", operation.http["requestUri"])
        match = re.fullmatch(f".*{pattern}", path)
        if match and operation.http["method"] == method:
            return operation, {k: unquote(v) for k, v in match.groupdict().items()}
    raise UnknownOperationError(f"EventBridge Pipes has no operation {method} {path}")


def parse_request(
    operation: OperationModel, path: Members, query: QueryParams, body: bytes
) -> dict[str, Any]:
    """The input of `operation`, timestamps as seconds since the epoch, null members left out.

    Every member has the same name on the wire. Raises SerializationError for a value of the wrong
    type, and ValidationError, first for members that the model does not have (a member that this
    service does not know must not look accepted), then for every constraint that is broken.
    """
    shape: Any = operation.input_shape  # every operation of this model has one
    given = _read_body(body)
    members = {name: path.get(name, given.pop(name, None)) for name in shape.members}
    for name, member in shape.members.items():
        if member.serialization.get("location") == "querystring":
            members[name] = _from_query(member, query.getlist(name), field_name("", name))
    reader = Reader()
    parsed: dict[str, Any] = reader.read(shape, members)
    if unknown := reader.unknown + [field_name("", name) for name in given]:
        reason = "the model of this API has no such member"
        raise ValidationError(
            [Violation(field, f"Unknown member '{field}': {reason}") for field in unknown]
        )
    if count := len(reader.broken):
        plural = "" if count == 1 else "s"
        raise ValidationError(reader.broken, f"{count} validation error{plural} detected: ")
    return parsed


def _read_body(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body or b"{}", parse_constant=_refuse_constant)
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
    if shape.type_name == "list" or not values:
        return values or None
    if shape.type_name != "integer":
        return values[-1]
    try:
        return int(values[-1])
    except ValueError:
        raise SerializationError(f"{path} must be an integer") from None


class Reader:
    """Reads JSON values of a request as shapes of the model, and collects what is wrong with them.

    `unknown` are the fields that the model does not have, `broken` the constraints that are not
    satisfied, in the model's order.
    """

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self.broken: list[Violation] = []

    def read(self, shape: Any, value: Any, path: str = "") -> Any:
        """`value` as the operations take it. Raises SerializationError for one of a wrong type."""
        if shape.type_name == "timestamp":
            return _timestamp(value, path)
        _check_type(shape, value, path)
        before = len(self.broken)
        match shape.type_name:
            case "structure":
                value = self._read_structure(shape, value, path)
            case "list":
                value = [
                    self.read(shape.member, item, f"{path}.{number}.member")
                    for number, item in enumerate(value, start=1)
                ]
            case "map":
                self._read_map(shape, value, path)
        # What the value itself breaks comes before what its parts break.
        own = [_violation(shape, value, path, each) for each in _broken(shape, value)]
        self.broken[before:before] = own
        return value

    def _read_structure(self, shape: Any, value: Members, path: str) -> dict[str, Any]:
        self.unknown += [field_name(path, name) for name in value if name not in shape.members]
        for name in shape.metadata.get("required", ()):
            if value.get(name) is None:
                where = field_name(path, name)
                failed = f"Value null at '{where}' failed to satisfy constraint"
                self.broken.append(Violation(where, f"{failed}: Member must not be null"))
        return {
            name: self.read(member, value[name], field_name(path, name))
            for name, member in shape.members.items()
            if value.get(name) is not None
        }

    def _read_map(self, shape: Any, value: Members, path: str) -> None:
        """All maps of this model have texts as their values, which stay as they are."""
        for key, item in value.items():
            _check_type(shape.value, item, f"{path}.{key}")
            for constraint in _broken(shape.key, key):
                wrong = f"Map keys must satisfy: [{constraint}]"
                self.broken.append(_violation(shape, value, path, wrong))
            self.read(shape.value, item, f"{path}.{key}.member")


_JSON_TYPES = {"string": str, "integer": int, "boolean": bool, "list": list}
"""A structure and a map are JSON objects."""


def _check_type(shape: Shape, value: Any, path: str) -> None:
    # A bool would be an instance of int, too.
    if type(value) is not _JSON_TYPES.get(shape.type_name, dict):
        raise SerializationError(f"{path} must be a JSON value of type {shape.type_name}")


def _timestamp(value: Any, path: str) -> float:
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).timestamp()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    raise SerializationError(f"{path} must be a timestamp: seconds since the epoch, or ISO 8601")


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


def to_json(shape: Any, value: Any) -> Any:
    """`value` in a response: of a structure, exactly the members that `shape` has and it gives."""
    match shape.type_name:
        case "structure":
            return {
                name: to_json(member, value[name])
                for name, member in shape.members.items()
                if value.get(name) is not None
            }
        case "list":
            return [to_json(shape.member, item) for item in value]
    return value
