"""How an execution ended, in AWS's terms."""

from __future__ import annotations

from enum import StrEnum

from eventbridge_pipes.outcome import Outcome, Succeeded, failed_positions


class Ending(StrEnum):
    """With `Execution` before it, it is the log's message type and, but for the first, a metric.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
    """

    SUCCEEDED = "Succeeded"
    PARTIALLY_FAILED = "PartiallyFailed"
    FAILED = "Failed"
    THROTTLED = "Throttled"
    TIMED_OUT = "Timeout"


def ending(outcome: Outcome, count: int) -> Ending:
    """How an execution of `count` records ended."""
    if isinstance(outcome, Succeeded):
        return Ending.SUCCEEDED
    if 0 < len(failed_positions(outcome, count)) < count:
        return Ending.PARTIALLY_FAILED
    if outcome.error and outcome.error.throttled:
        return Ending.THROTTLED
    if outcome.error and outcome.error.timed_out:
        return Ending.TIMED_OUT
    return Ending.FAILED
