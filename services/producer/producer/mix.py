"""The shares of the three event types."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inventory_aws.outbox import EVENT_TYPES


@dataclass(frozen=True)
class Mix:
    """Relative shares: numbers from 0 with a sum above 0. Raises ValueError otherwise."""

    added: float = 6
    removed: float = 1
    changed: float = 3

    def __post_init__(self) -> None:
        if not all(math.isfinite(share) and share >= 0 for share in self.shares):
            raise ValueError("a share must be a number of at least 0")
        if not 0 < sum(self.shares) < math.inf:
            raise ValueError("the shares must add up to a number above 0")

    @property
    def shares(self) -> tuple[float, float, float]:
        """In the order of EVENT_TYPES."""
        return (self.added, self.removed, self.changed)

    def event_type(self, fraction: float) -> str:
        """The type that `fraction` (0 ≤ fraction < 1) of the way through the shares falls on."""
        point = fraction * sum(self.shares)
        chosen = ""
        for name, share in zip(EVENT_TYPES, self.shares, strict=True):
            if share:
                chosen = name  # rounding may leave `point` at the very end: the last share has it
                if point < share:
                    break
            point -= share
        return chosen


def parse(text: str) -> Mix:
    """`added=6,removed=1,changed=3` as a Mix; a type that is left out has no share.

    Raises ValueError, with a message for the user, when it is not of that form.
    """
    shares = {"added": 0.0, "removed": 0.0, "changed": 0.0}
    named: set[str] = set()
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or name not in shares:
            raise ValueError(f"{part.strip()!r} is not one of added=N, removed=N, changed=N")
        if name in named:
            raise ValueError(f"{name!r} is given twice")
        named.add(name)
        try:
            shares[name] = float(value)
        except ValueError:
            raise ValueError(f"the share of {name!r} is not a number: {value!r}") from None
    return Mix(**shares)
