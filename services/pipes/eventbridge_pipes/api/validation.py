"""The constraints of botocore's service model, checked all at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eventbridge_pipes.api.errors import ValidationError, Violation
from eventbridge_pipes.api.java_patterns import compiled
from eventbridge_pipes.api.protocol import field_name


def validate(shape: Any, value: Any) -> None:
    """Raises ValidationError that lists every constraint of `shape` that `value` breaks."""
    violations = list(violations_of(shape, value))
    if violations:
        found = "; ".join(violation.message for violation in violations)
        plural = "" if len(violations) == 1 else "s"
        raise ValidationError(
            f"{len(violations)} validation error{plural} detected: {found}", violations
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
        yield from _in_map(shape, value, path)


def _in_structure(shape: Any, value: dict[str, Any], path: str) -> Iterator[Violation]:
    for name in shape.metadata.get("required", ()):
        if name not in value:
            where = field_name(path, name)
            failed = f"Value null at '{where}' failed to satisfy constraint"
            yield Violation(where, f"{failed}: Member must not be null")
    for name, member in shape.members.items():
        if name in value:
            yield from violations_of(member, value[name], field_name(path, name))


def _in_map(shape: Any, value: dict[str, Any], path: str) -> Iterator[Violation]:
    for key, item in value.items():
        for constraint in _broken(shape.key, key):
            yield _violation(shape, value, path, f"Map keys must satisfy: [{constraint}]")
        yield from violations_of(shape.value, item, f"{path}.{key}.member")


def _broken(shape: Any, value: Any) -> Iterator[str]:
    limits = shape.metadata
    if shape.type_name in ("integer", "long"):
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
    if "pattern" in limits and not compiled(limits["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"


def _violation(shape: Any, value: Any, path: str, constraint: str) -> Violation:
    # AWS leaves the value out of the message where the model calls it sensitive.
    shown = "" if _is_sensitive(shape) else f" '{value}'"
    return Violation(path, f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}")


def _is_sensitive(shape: Any) -> bool:
    """Whether the value of `shape` is, or what is in it: a map of tags shows its tags."""
    if shape.metadata.get("sensitive"):
        return True
    if shape.type_name == "list":
        return _is_sensitive(shape.member)
    if shape.type_name == "map":
        return _is_sensitive(shape.key) or _is_sensitive(shape.value)
    return shape.type_name == "structure" and any(map(_is_sensitive, shape.members.values()))
