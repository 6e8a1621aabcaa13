"""Filters beside AWS's open matcher, on random pairs of a pattern and an event.

Each pair on which the two differ has to have a reason, one of `differences.DIFFERENCES`.
RULER_PAIRS=100000 compares more pairs than `make trials` does, in half a minute.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from eventbridge_pipes.pattern import Filter, PatternError, RecordSource
from eventbridge_pipes.record import Record, decode_json
from ruler import java
from ruler.differences import DIFFERENCES, reason_of
from ruler.pairs import Pair, pairs

AGAIN = 100
COUNT = int(os.environ.get("RULER_PAIRS") or 5_000)
SOURCE = RecordSource(service="the event", added=frozenset())


@pytest.fixture
def libraries(request: pytest.FixtureRequest) -> Path:
    cache: pytest.Cache = request.config.cache
    try:
        return java.libraries(Path(cache.mkdir("event-ruler")))
    except java.MissingError as error:
        if java.required():
            raise
        pytest.skip(str(error))


def judged(pair: Pair) -> str:
    """Return what a filter makes of a pair, in the words of `java.judgements`."""
    try:
        filter_ = Filter.parse([pair.pattern], SOURCE)
    except PatternError:
        return "refused"
    passes = filter_.passes(Record(members=decode_json(pair.event)))
    return "matched" if passes else "passed over"


def test_filters_differ_from_event_ruler_only_where_we_say_so(libraries: Path) -> None:
    tried = [*(each.example for each in DIFFERENCES), *pairs(COUNT)]
    theirs = java.judgements(libraries, tried)
    ours = [judged(pair) for pair in tried]

    examples = zip(DIFFERENCES, ours, theirs, strict=False)
    for difference, our, their in examples:
        assert our != their, difference.reason
        assert reason_of(difference.example, our, their) == difference.reason

    unexplained = [
        (pair, our, their)
        for pair, our, their in zip(tried, ours, theirs, strict=True)
        if our != their and not reason_of(pair, our, their)
    ]
    # What event-ruler makes of a range beside two other rules of a field is up to chance.
    again = java.judgements(libraries, [pair for pair, _, _ in unexplained for _ in range(AGAIN)])
    answers = [set(again[n : n + AGAIN]) for n in range(0, len(again), AGAIN)]
    differing = [
        f"{pair.pattern} on {pair.event}: event-ruler {their}, this filter {our}"
        for (pair, our, their), either in zip(unexplained, answers, strict=True)
        if our not in either
    ]
    assert differing == []

    # If most pairs were refused or did not match, they would show little.
    times = Counter(theirs)
    assert times["matched"] > COUNT / 5
    assert times["passed over"] > COUNT / 5
