"""Which repetitions a pipe owes an explanation for.

At least once is not as often as one likes. As long as the service lives, a record that it knows
to be done with is not sent again. When it is killed it may go back, in each shard, to the first
record that was not done with, and no further: that is what positions are kept for. A record is
done with when its whole batch is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from soak.evidence import Call, Evidence, GivenUp

SETTLING = 2.0
"""Seconds that the service may take from an answer to the position on its disk."""


def unexplained(evidence: Evidence) -> set[int]:
    """The sequence numbers of records that were sent again without need."""
    shards: dict[str, list[int]] = defaultdict(list)
    for record in evidence.expected:
        shards[record.shard].append(record.number)
    # The position of a shard is behind the last of these.
    passed: set[int] = set()
    found: set[int] = set()
    for life, killed in enumerate([*evidence.kills, math.inf]):
        calls = [call for call in evidence.calls if call.life == life]
        given_up = [message for message in evidence.given_up if message.life == life]
        found |= {number for call in calls for number in call.records if number in passed}
        found |= _again(calls, given_up)
        done = _done(calls, given_up)
        for numbers in shards.values():
            for number in numbers:
                if number not in passed and done.get(number, math.inf) > killed - SETTLING:
                    break
                passed.add(number)
    return found


def _again(calls: Sequence[Call], given_up: Sequence[GivenUp]) -> set[int]:
    """What one life sent although it had been told that it is done with."""
    done = _known(calls, given_up)
    return {n for call in calls for n in call.records if done.get(n, math.inf) < call.begun}


def _done(calls: Sequence[Call], given_up: Sequence[GivenUp]) -> dict[int, float]:
    """When each record's batch was done with: the first call of a life that has a record has all
    of its batch."""
    known = _known(calls, given_up)
    done: dict[int, float] = {}
    for call in calls:
        last = max(known.get(number, math.inf) for number in call.records)
        for number in call.records:
            done.setdefault(number, last)
    return done


def _known(calls: Sequence[Call], given_up: Sequence[GivenUp]) -> dict[int, float]:
    """When the service was first told that a record was taken, or its dead letter was."""
    taken = [(call.answered, call.taken) for call in calls]
    dropped = [(message.answered, message.records) for message in given_up]
    known: dict[int, float] = {}
    for answered, numbers in (*taken, *dropped):
        if answered is not None:
            for number in numbers:
                known[number] = min(answered, known.get(number, math.inf))
    return known
