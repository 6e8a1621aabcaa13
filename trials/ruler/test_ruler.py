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
    found = [(judgement, judged(pair), pair) for judgement, pair in zip(theirs, tried, strict=True)]
    unexplained = [
        f"{pair.pattern} on {pair.event}: event-ruler {judgement}, this filter {ours}"
        for judgement, ours, pair in found
        if judgement != ours and not reason_of(pair, ours, judgement)
    ]
    assert unexplained == []

    for difference, (judgement, ours, pair) in zip(DIFFERENCES, found, strict=False):
        assert judgement != ours
        assert reason_of(pair, ours, judgement) == difference.reason

    # If most pairs were refused or did not match, they would show little.
    times = Counter(theirs)
    assert times["matched"] > COUNT / 5
    assert times["passed over"] > COUNT / 5
