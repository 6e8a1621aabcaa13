"""Whether a pipe kept what it promises, from what its target and its dead-letter queue saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from soak.evidence import Evidence
from soak.repetition import unexplained


class Finding(StrEnum):
    """What may be wrong with records."""

    LOST = "neither delivered nor given up on"
    DISORDERED = "delivered for the first time after a later record of the same key"
    UNEXPLAINED = "sent again although the position was past them"
    UNEXPECTED = "sent although the filter leaves them out"
    ALTERED = "in other words than they were put"
    DROPPED = "given up on without need"
    POISONED = "delivered although the target refused them"


@dataclass(frozen=True)
class Verdict:
    """`deliveries` counts repetitions too. `findings` has the sequence numbers of what went wrong;
    it is empty when nothing did."""

    expected: int
    delivered: int
    deliveries: int
    given_up: int
    findings: Mapping[Finding, tuple[int, ...]]

    @property
    def repeated(self) -> float:
        """The share of the deliveries that were not the first of their record."""
        return 1 - self.delivered / self.deliveries if self.deliveries else 0.0


def verdict(evidence: Evidence) -> Verdict:
    expected = {record.number for record in evidence.expected}
    poison = {record.number for record in evidence.expected if record.poison}
    sent = set(chain.from_iterable(call.records for call in evidence.calls))
    deliveries = _deliveries(evidence)
    given_up = _given_up(evidence)
    findings = {
        Finding.LOST: lost(evidence),
        Finding.DISORDERED: disordered(evidence),
        Finding.UNEXPLAINED: unexplained(evidence),
        Finding.UNEXPECTED: (sent | given_up) - expected,
        Finding.ALTERED: set(chain.from_iterable(call.altered for call in evidence.calls)),
        Finding.DROPPED: given_up - poison,
        Finding.POISONED: poison.intersection(deliveries),
    }
    return Verdict(
        expected=len(expected),
        delivered=len(set(deliveries)),
        deliveries=len(deliveries),
        given_up=len(given_up),
        findings={what: tuple(sorted(numbers)) for what, numbers in findings.items() if numbers},
    )


def lost(evidence: Evidence) -> set[int]:
    expected = {record.number for record in evidence.expected}
    return expected.difference(_deliveries(evidence), _given_up(evidence))


def disordered(evidence: Evidence) -> set[int]:
    """The sequence numbers of a key grow, over a split and a merge as well."""
    keys = {record.number: record.key for record in evidence.expected}
    furthest: dict[str, int] = {}
    # A dictionary keeps the first place of each.
    firsts = [number for number in dict.fromkeys(_deliveries(evidence)) if number in keys]
    found = set()
    for number in firsts:
        last = furthest.setdefault(keys[number], number)
        if number < last:
            found.add(number)
        else:
            furthest[keys[number]] = number
    return found


def _deliveries(evidence: Evidence) -> list[int]:
    """What the target took, in its order, with repetitions."""
    return [n for call in evidence.calls for n in call.records if n in call.taken]


def _given_up(evidence: Evidence) -> set[int]:
    return set(chain.from_iterable(message.records for message in evidence.given_up))
