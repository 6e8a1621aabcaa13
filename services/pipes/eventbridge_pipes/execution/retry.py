"""What happens to records after an attempt: retry, in which pieces, or give up."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eventbridge_pipes.backoff import growing_pause
from eventbridge_pipes.outcome import Outcome
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record

UNLIMITED = -1
FAILURES_WITHOUT_PAUSE = 10
LONGEST_HALF_PAUSE = 0.5


@dataclass(frozen=True)
class RetryPolicy:
    """-1 is without limit; the age is in seconds. N retries are N + 1 attempts."""

    maximum_retries: int = UNLIMITED
    maximum_age: int = UNLIMITED
    bisect: bool = False


def retry_policy(pipe: Pipe) -> RetryPolicy:
    """Return the policy of a pipe whose source is a stream, with AWS's defaults."""
    parameters = pipe.stream_parameters
    return RetryPolicy(
        parameters.get("MaximumRetryAttempts", UNLIMITED),
        parameters.get("MaximumRecordAgeInSeconds", UNLIMITED),
        parameters.get("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT",
    )


@dataclass(frozen=True)
class Segment:
    """Records that are sent together: a batch, or what is left of one.

    `failures` are attempts that count against the policy; `service_errors` are those that do not.
    """

    records: tuple[Record, ...]
    failures: int = 0
    service_errors: int = 0


@dataclass(frozen=True)
class Decision:
    """`again` is to be sent, in this order; `given_up` is out of attempts."""

    again: tuple[Segment, ...] = ()
    given_up: tuple[Record, ...] = ()


def decide(segment: Segment, outcome: Outcome, policy: RetryPolicy) -> Decision:
    """Only what failed is sent again, in its order.

    Bisecting a failed segment is no attempt of its halves: it looks for the record at fault, and
    only that one uses up its attempts.
    """
    if not outcome.failed:
        return Decision()
    failed = tuple(r for i, r in enumerate(segment.records) if i in outcome.failed)
    if outcome.service_error:
        service_errors = segment.service_errors + 1
        return Decision(again=(Segment(failed, segment.failures, service_errors),))
    if policy.bisect and len(failed) > 1:
        middle = len(failed) // 2
        return Decision(again=(Segment(failed[:middle]), Segment(failed[middle:])))
    failures = segment.failures + 1
    if policy.maximum_retries != UNLIMITED and failures > policy.maximum_retries:
        return Decision(given_up=failed)
    return Decision(again=(Segment(failed, failures, segment.service_errors),))


def split_by_age(
    records: Sequence[Record], policy: RetryPolicy, now: float
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """The records that are too old to be sent, and the others. `now` is epoch seconds."""
    if policy.maximum_age == UNLIMITED:
        return (), tuple(records)
    oldest = now - policy.maximum_age
    return (
        tuple(record for record in records if record.arrived < oldest),
        tuple(record for record in records if record.arrived >= oldest),
    )


def pause_before(
    segment: Segment, failures_in_a_row: int = 0, jitter: Callable[[], float] = random.random
) -> float:
    """Return the seconds to wait before a segment is sent: doubling with its tries, up to a limit.

    A half is as new as a batch that was just read. It waits only after many first attempts failed
    without a success between: finding one bad record takes few, so most records are bad then.
    """
    tries = segment.failures + segment.service_errors
    if tries:
        return growing_pause(tries, jitter)
    if failures_in_a_row <= FAILURES_WITHOUT_PAUSE:
        return 0.0
    pause = growing_pause(failures_in_a_row - FAILURES_WITHOUT_PAUSE, jitter)
    return min(LONGEST_HALF_PAUSE, pause)
