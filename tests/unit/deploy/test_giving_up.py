"""What the defaults come to when a batch fails, as docs/deploy.md has it.

By the decisions of our Pipes service, the function's retries, and a clock that only adds up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from deploy.settings import Settings
from eventbridge_pipes.execution.retry import RetryPolicy, Segment, decide, pause_before
from eventbridge_pipes.outcome import SUCCEEDED, Outcome, all_failed
from eventbridge_pipes.record import Record
from processor.calls import BACK_OFF, budget
from processor.handler import ANSWERING, LONGEST_CALL

DEFAULTS = Settings.from_env({}).parameters
BATCH_SIZE = int(DEFAULTS["BatchSize"])
AGE_SECONDS = int(DEFAULTS["MaxRecordAgeSeconds"])
POLICY = RetryPolicy(int(DEFAULTS["MaxRetryAttempts"]), AGE_SECONDS, bisect=True)
# The last pause may be as long as the longest: nobody waits when there is no time for a try.
OUTAGE_ATTEMPT = (
    budget(int(DEFAULTS["FunctionTimeoutSeconds"]), LONGEST_CALL + ANSWERING) - BACK_OFF.longest
)


@dataclass
class Course:
    """A batch until the first record is given up on."""

    deliveries: int = 0
    pauses: float = 0.0
    applied: int = 0
    given_up: tuple[Record, ...] = ()


def course(size: int, deliver: Callable[[tuple[Record, ...]], Outcome], jitter: float) -> Course:
    """`jitter` is 1 for the longest pauses, and 0.5 for their mean."""
    batch = tuple(Record(f"s:{n}", str(n), 0.0, "") for n in range(size))
    todo = deque([Segment(batch)])
    seen = Course()
    while todo and not seen.given_up:
        segment = todo.popleft()
        outcome = deliver(segment.records)
        seen.deliveries += 1
        if not outcome.failed:
            seen.applied += len(segment.records)
            continue
        decision = decide(segment, outcome, POLICY)
        todo.extendleft(reversed(decision.again))
        seen.given_up = decision.given_up
        if decision.again:
            seen.pauses += pause_before(decision.again[0], jitter=lambda: jitter)
    return seen


@given(st.integers(1, BATCH_SIZE), st.data())
def test_a_record_that_crashes_the_function_is_given_up_within_a_minute(
    size: int, data: st.DataObject
) -> None:
    poison = str(data.draw(st.integers(0, size - 1)))

    def deliver(records: tuple[Record, ...]) -> Outcome:
        crashes = any(record.sequence_number == poison for record in records)
        return all_failed(records, "crashed") if crashes else SUCCEEDED

    seen = course(size, deliver, jitter=1.0)
    assert [record.sequence_number for record in seen.given_up] == [poison]
    assert seen.applied == int(poison)  # all that came before it; the rest comes after
    assert seen.pauses < 32.5
    crashes_and_passes = 2 * 9 + 13
    assert seen.deliveries <= crashes_and_passes
    assert seen.pauses + 0.8 * seen.deliveries < 60


def test_no_record_is_given_up_in_an_outage_of_nine_minutes() -> None:
    one = course(1, lambda records: all_failed(records, "batchItemFailures"), jitter=0.5)
    assert one.deliveries == 13
    assert one.pauses + one.deliveries * OUTAGE_ATTEMPT > 9 * 60

    full = course(BATCH_SIZE, lambda records: all_failed(records, "batchItemFailures"), jitter=0.5)
    assert 13 + 8 <= full.deliveries <= 13 + 9
    assert full.pauses + full.deliveries * OUTAGE_ATTEMPT > 14 * 60


def test_a_record_given_up_for_its_age_is_still_on_the_stream() -> None:
    day = 24 * 3600  # as long as a stream keeps its records by default
    assert day == AGE_SECONDS + 4 * 3600
