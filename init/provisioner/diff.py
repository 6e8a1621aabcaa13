"""What differs between the description of a resource and what AWS has."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from provisioner.resources import Resource

_SHOWN = 20  # characters; longer values say less than the name of what differs


@dataclass(frozen=True)
class Difference:
    field: str
    desired: object
    actual: object

    def __str__(self) -> str:
        name = self.field.replace("_", " ")
        if _short(self.desired) and _short(self.actual):
            return f"{name} {self.actual} → {self.desired}"
        return name


def differences(desired: Resource, actual: Resource) -> tuple[Difference, ...]:
    """The fields of `actual` that are not as in `desired`, in the order of the description."""
    return tuple(
        Difference(field.name, wanted, found)
        for field in dataclasses.fields(desired)
        if (wanted := getattr(desired, field.name)) != (found := getattr(actual, field.name))
    )


def _short(value: object) -> bool:
    return isinstance(value, int | float | str | None) and len(str(value)) <= _SHOWN
