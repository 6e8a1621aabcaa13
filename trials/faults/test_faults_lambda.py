"""Between the pipe and the function."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from faults.effects import (
    altered,
    cut_after,
    cut_before,
    function_error,
    instead,
    refused,
    reporting_failed,
    slow,
)
from faults.events import mixed
from faults.line import Line
from faults.plan import Effect, Strike, drawn, on
from operations.verify.explain import RecordStatus
from stack import Stack

BETWEEN = "pipe and function"

INVOKE = "Invoke"
TIMED_OUT = ("Sandbox.Timedout", "Task timed out after 60.00 seconds")
DIED = ("Runtime.ExitError", "Runtime exited with error: signal: killed")
TIMEOUT_SECONDS = 3


def answering(body: object) -> Effect:
    """The function has done its work, and this is what comes back."""
    return altered(lambda _: json.dumps(body).encode())


def failures(*items: object) -> Effect:
    return answering({"batchItemFailures": list(items)})


PASSING = {
    "throttled": [on(INVOKE, refused(429, "TooManyRequestsException"), range(8))],
    "ends with a 500": [on(INVOKE, refused(500, "ServiceException"), range(8))],
    "ends with a 502": [on(INVOKE, refused(502, "EC2UnexpectedException"), drawn(1, 0.4, 12))],
    "no concurrency left": [on(INVOKE, refused(429, "ProvisionedThroughputExceeded"), range(4))],
    "being updated": [on(INVOKE, refused(409, "ResourceConflictException"), range(4))],
    "slow answers": [on(INVOKE, slow(0.5), range(8))],
    "connection lost before": [on(INVOKE, cut_before, drawn(2, 0.4, 12))],
    "ran, answer lost": [on(INVOKE, cut_after(), range(6))],
    "ran, answer cut in half": [on(INVOKE, cut_after(0.5), range(6))],
    "ran, head cut in half": [on(INVOKE, cut_after(0.1), range(6))],
    "died before it began": [on(INVOKE, function_error(*DIED, ran=False), range(6))],
    "timed out when it was done": [on(INVOKE, function_error(*TIMED_OUT, ran=True), range(6))],
    "errors here and there": [on(INVOKE, function_error(*DIED, ran=True), drawn(4, 0.4, 12))],
    "answer: a page": [on(INVOKE, altered(lambda _: b"<html>"), range(6))],
    "answer: half of its JSON": [on(INVOKE, altered(lambda body: body[:12]), range(6))],
    "answer: nothing": [on(INVOKE, altered(lambda _: b""), range(6))],
    "answer: null": [on(INVOKE, answering(None), range(6))],
    "answer: a number": [on(INVOKE, answering(7), range(6))],
    "answer: nested too deeply": [on(INVOKE, altered(lambda _: b"[" * 100_000), range(6))],
    "failures: null": [on(INVOKE, answering({"batchItemFailures": None}), range(6))],
    "failures: a text": [on(INVOKE, answering({"batchItemFailures": "all"}), range(6))],
    "failures: numbers": [on(INVOKE, failures(1, 2), range(6))],
    "failures: of no record": [on(INVOKE, failures({"itemIdentifier": "nobody"}), range(6))],
    "failures: an empty id": [on(INVOKE, failures({"itemIdentifier": ""}), range(6))],
    "failures: a wrong key": [on(INVOKE, failures({"id": "shardId-0:1"}), range(6))],
    "failures: all, though done": [on(INVOKE, reporting_failed(1.0), range(6))],
    "failures: some, though done": [on(INVOKE, reporting_failed(0.3), range(6))],
    "no function of that name": [on(INVOKE, refused(404, "ResourceNotFoundException"), range(4))],
    "not allowed": [on(INVOKE, refused(403, "AccessDeniedException"), range(4))],
    "200 from somebody else": [on(INVOKE, instead(b"<html>Welcome</html>"), range(4))],
}


@pytest.mark.parametrize("strikes", PASSING.values(), ids=PASSING)
def test_what_passes_costs_nothing_but_time(strikes: list[Strike], line: Line) -> None:
    line.inject(*strikes)
    line.put(mixed(seed=2))
    statuses = line.come_through()
    assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0


class TestTimeOut:
    """The function is ended by Lambda, in the middle of its work."""

    @pytest.fixture
    def stack(self, led_stack: Stack) -> Stack:
        return led_stack

    @pytest.fixture
    def settings(self) -> Mapping[str, str]:
        return {"BATCH_SIZE": "100", "FUNCTION_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS)}

    @pytest.mark.parametrize(
        "operation",
        ["BatchGetItem", "TransactWriteItems"],
        ids=["times out while it reads", "times out when it has written"],
    )
    def test_it_is_called_again(self, operation: str, line: Line) -> None:
        line.inject(on(operation, slow(TIMEOUT_SECONDS + 2), range(2)))
        line.put(mixed(seed=3))
        statuses = line.come_through()
        assert statuses.get(RecordStatus.DEAD_LETTERED, 0) == 0
        assert "timed out" in line.parts.pipes.log.read_text()
