"""What a resource is in a template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]
Entries: TypeAlias = Iterator[tuple[str, Body]]
"""Logical ids, and what they stand for."""

# Nothing that holds data is ever replaced by us either; what is deleted is what `destroy` deletes.
HOLDS_DATA = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}


def body(kind: str, properties: Mapping[str, Any], **attributes: Any) -> Body:
    """What is None is left out."""
    given = {key: value for key, value in properties.items() if value is not None}
    return {"Type": kind, **attributes, "Properties": given}
