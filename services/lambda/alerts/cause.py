"""What an alert is about: its kind and its reason, and the occurrences that are counted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self, TypeAlias

MAX_SAMPLES = 10
"""How many occurrences are told of one by one in a message; the rest is counted."""

Sample: TypeAlias = Mapping[str, str | int | float | None]
"""What is known of one occurrence: members of a JSON object."""

_REASON = re.compile(r"[A-Za-z0-9_.-]{1,100}")
UNKNOWN = "unknown"


class Kind(StrEnum):
    """What happened."""

    REJECTED = "rejected"
    DEAD_LETTER = "dead_letter"
    LOW_STOCK = "low_stock"
    HIGH_STOCK = "high_stock"


@dataclass(frozen=True, slots=True)
class Cause:
    """A kind of alert and the reason in a word; all that has the same cause shares messages."""

    kind: Kind
    reason: str

    @classmethod
    def of(cls, kind: Kind, reason: str | None) -> Self:
        """A reason that is no short word, or none, is "unknown": causes are to be few."""
        known = reason is not None and _REASON.fullmatch(reason)
        return cls(kind, reason if reason is not None and known else UNKNOWN)

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Raises ValueError when it is no key of a cause."""
        kind, _, reason = key.partition(":")
        return cls(Kind(kind), reason)

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.reason}"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened, at `at` (epoch seconds); a dead letter may have several samples."""

    cause: Cause
    at: float
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is to be told of one cause: how often it occurred, when first and last, and samples."""

    count: int
    first_at: float
    last_at: float
    samples: Sequence[Sample]


def together(occurrences: Sequence[Occurrence]) -> Waiting:
    """Occurrences of one cause, at least one, as they are to be told."""
    times = [occurrence.at for occurrence in occurrences]
    samples = [sample for occurrence in occurrences for sample in occurrence.samples]
    return Waiting(len(occurrences), min(times), max(times), samples[:MAX_SAMPLES])
