"""What a run has done so far, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from inventory_aws.outbox import Event


@dataclass(frozen=True)
class Summary:
    """`sent` events are accepted ones: those of each type and the deliberately `invalid` ones.
    `refused` counts refusals of a record; after each of them it was sent again."""

    sent: int
    by_type: dict[str, int]
    invalid: int
    refused: int
    seconds: float

    @property
    def rate(self) -> float:
        """Accepted events per second."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0


class Tally:
    """Counts from `start`, in seconds of the clock that `summary` is asked by."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._by_type: Counter[str] = Counter()
        self._invalid = 0
        self._refused = 0

    def accepted(self, event: Event) -> None:
        if event.invalid:
            self._invalid += 1
        else:
            self._by_type[event.kind] += 1

    def refused(self, records: int) -> None:
        self._refused += records

    def summary(self, now: float) -> Summary:
        return Summary(
            sent=self._by_type.total() + self._invalid,
            by_type=dict(sorted(self._by_type.items())),
            invalid=self._invalid,
            refused=self._refused,
            seconds=now - self._start,
        )
