"""Between the function and the topic of what it rejects."""

from __future__ import annotations

import pytest

from faults.effects import cut_after, cut_before, instead, publishing_none, refused, slow
from faults.events import mixed
from faults.line import Line
from faults.plan import Strike, drawn, on
from operations.verify.explain import RecordStatus

BETWEEN = "function and SNS"

PUBLISH = "PublishBatch"

PASSING = {
    "throttled": [on(PUBLISH, refused(400, "Throttled"), range(4))],
    "ends with a 500": [on(PUBLISH, refused(500, "InternalError"), range(4))],
    "slow answers": [on(PUBLISH, slow(0.5), range(4))],
    "connection lost before": [on(PUBLISH, cut_before, drawn(2, 0.4, 6))],
    "published, answer lost": [on(PUBLISH, cut_after(), range(4))],
    "published, answer cut in half": [on(PUBLISH, cut_after(0.5), range(4))],
    "published, head cut in half": [on(PUBLISH, cut_after(0.1), range(4))],
    "each message refused": [on(PUBLISH, publishing_none, range(4))],
    "answered with a page": [on(PUBLISH, instead(b"<html>Welcome</html>"), range(3))],
    "answered with nothing": [on(PUBLISH, instead(b""), range(3))],
    "answered with JSON": [on(PUBLISH, instead({}), range(3))],
}


@pytest.mark.parametrize("strikes", PASSING.values(), ids=PASSING)
def test_no_rejection_is_lost(strikes: list[Strike], line: Line) -> None:
    line.inject(*strikes)
    line.put(mixed(seed=4))
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0
    assert statuses[RecordStatus.REJECTED] > 0
