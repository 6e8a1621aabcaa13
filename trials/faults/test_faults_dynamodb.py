"""Between the function and its table."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from faults.effects import (
    altered,
    conflicting,
    cut_after,
    cut_before,
    instead,
    refused,
    slow,
    unprocessed,
)
from faults.events import mixed
from faults.line import Line
from faults.plan import ALWAYS, Strike, drawn, on
from operations.verify.explain import RecordStatus
from stack import Stack
from waiting import eventually

BETWEEN = "function and DynamoDB"

READ, WRITE = "BatchGetItem", "TransactWriteItems"
BOTH = f"{READ} {WRITE}"
THROTTLED = refused(400, "ProvisionedThroughputExceededException")
BROKEN = refused(500, "InternalServerError")

RETRIES = 2

PASSING = {
    "reads throttled": [on(READ, THROTTLED, range(6))],
    "writes throttled": [on(WRITE, THROTTLED, range(6))],
    "too many requests": [on(BOTH, refused(400, "ThrottlingException"), drawn(3, 0.5, 20))],
    "reads end with a 500": [on(READ, BROKEN, range(5))],
    "writes end with a 500": [on(WRITE, BROKEN, range(5))],
    "a 503 here and there": [on(BOTH, refused(503, "ServiceUnavailable"), drawn(5, 0.4, 20))],
    "a 502 of a proxy's": [on(BOTH, instead(b"<html>Bad Gateway</html>", 502), drawn(7, 0.4, 20))],
    "slow answers": [on(BOTH, slow(0.5), range(12))],
    "read, answer lost": [on(READ, cut_after(), range(5))],
    "read, answer cut in half": [on(READ, cut_after(0.5), range(5))],
    "written, answer lost": [on(WRITE, cut_after(), range(5))],
    "written, answer cut in half": [on(WRITE, cut_after(0.5), range(5))],
    "written, head cut in half": [on(WRITE, cut_after(0.1), range(5))],
    "connection lost before": [on(BOTH, cut_before, drawn(9, 0.4, 20))],
    "keys left unprocessed": [on(READ, unprocessed, range(6))],
    "transactions in conflict": [on(WRITE, conflicting, range(6))],
    "write answered with a page": [on(WRITE, instead(b"<html>Welcome</html>"), range(3))],
    "write answered with nothing": [on(WRITE, instead(b""), range(3))],
    "read answered with a page": [on(READ, instead(b"<html>Welcome</html>"), range(3))],
    "read answered with {}": [on(READ, instead({}), range(3))],
    "answer with a bit turned": [on(BOTH, altered(lambda body: body[:-1] + b"]"), range(4))],
}


@pytest.mark.parametrize("strikes", PASSING.values(), ids=PASSING)
def test_what_passes_costs_nothing_but_time(strikes: list[Strike], line: Line) -> None:
    line.inject(*strikes)
    line.put(mixed(seed=1))
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


class TestOutage:
    """It lasts for longer than the function can wait."""

    @pytest.fixture
    def stack(self, led_stack: Stack) -> Stack:
        return led_stack

    @pytest.fixture
    def settings(self) -> Mapping[str, str]:
        return {
            "BATCH_SIZE": "4",
            "FUNCTION_TIMEOUT_SECONDS": "2",
            "MAX_RETRY_ATTEMPTS": str(RETRIES),
        }

    def test_away_for_two_invocations(self, line: Line) -> None:
        """What the function could not do it reports, and the pipe brings it again."""
        line.inject(on(WRITE, THROTTLED, range(10)))
        line.put(mixed(seed=19, count=60))
        statuses = line.come_through()
        assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0
        assert "reported in batchItemFailures" in line.parts.pipes.log.read_text()

    def test_away_for_all_attempts(self, line: Line) -> None:
        """What the pipe has given up on is a dead letter, and the rest is as if it had not been."""
        line.inject(on(WRITE, THROTTLED, ALWAYS))
        payloads = mixed(seed=20, count=60)
        line.put(payloads[:6])
        eventually(line.dead_letters, timeout=60)
        line.parts.proxy.plan.end()
        line.put(payloads[6:])
        statuses = line.come_through()
        assert statuses[RecordStatus.DEAD_LETTERED] >= 1
